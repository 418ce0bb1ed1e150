using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Fumidai.Aws.Tests;

/// <summary>One request as it came: its headers and body, and the operation in whichever protocol.</summary>
internal sealed record FakeRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Header(string name) => Headers.GetValueOrDefault(name, "");

    public IReadOnlyDictionary<string, string> Form { get; } = Body.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2))
        .Where(p => p.Length == 2).DistinctBy(p => p[0]).ToDictionary(p => Uri.UnescapeDataString(p[0]), p => Uri.UnescapeDataString(p[1].Replace('+', ' ')));

    public string Operation => Headers.TryGetValue("X-Amz-Target", out var target) ? target : Form.GetValueOrDefault("Action", $"{Method} {Path}");

    public string AccessKey => Header("Authorization") is var a && a.Contains("Credential=", StringComparison.Ordinal) ? a.Split("Credential=")[1].Split('/')[0] : "";

    public string Scope => Header("Authorization") is var a && a.Contains("Credential=", StringComparison.Ordinal) ? a.Split("Credential=")[1].Split(',')[0] : "";

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;
}

internal sealed record FakeAnswer(int Status, string Body, string ContentType = "application/x-amz-json-1.1", params (string Name, string Value)[] Headers)
{
    public static FakeAnswer Ok(string json) => new(200, json);

    public static FakeAnswer Xml(string xml) => new(200, xml, "text/xml");

    public static FakeAnswer JsonError(int status, string code, string message) => new(status, $$"""{"__type":"{{code}}","message":"{{message}}"}""");

    public static FakeAnswer QueryError(int status, string code, string message) =>
        new(status, $"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>", "text/xml");

    public static FakeAnswer Ec2Error(int status, string code, string message) =>
        new(status, $"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r-1</RequestID></Response>", "text/xml");
}

/// <summary>A server on loopback that speaks just enough HTTP/1.1 to stand for AWS, or for a forward proxy; TLS when given a certificate.</summary>
internal sealed class FakeAws : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<FakeRequest, FakeAnswer> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly Task _accepting;

    public FakeAws(Func<FakeRequest, FakeAnswer> answer, X509Certificate2? certificate = null)
    {
        (_answer, _certificate) = (answer, certificate);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}";

    public IEnumerable<FakeRequest> Of(string operation) => Requests.Where(r => r.Operation.Split('.')[^1] == operation);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var connection = ServeAsync(client);
                _connections[connection] = true;
            }
        }
        // A listener that was stopped between two clients says so by InvalidOperationException.
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                    stream = tls;
                }
                while (await ReadAsync(stream) is { } request)
                {
                    Requests.Enqueue(request);
                    var answer = _answer(request);
                    var body = Encoding.UTF8.GetBytes(answer.Body);
                    var head = new StringBuilder($"HTTP/1.1 {answer.Status} Fake\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {body.Length}\r\n");
                    foreach (var (name, value) in answer.Headers)
                        head.Append(name).Append(": ").Append(value).Append("\r\n");
                    await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), .. body], _stop.Token);
                    await stream.FlushAsync(_stop.Token);
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
        }
    }

    private async Task<FakeRequest?> ReadAsync(Stream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (head.Count < 4 || head[^1] != '\n' || head[^2] != '\r' || head[^3] != '\n')
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            head.Add(one[0]);
        }
        var lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines.Skip(1).Select(l => l.Split(':', 2)).ToDictionary(h => h[0], h => h[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), System.Globalization.CultureInfo.InvariantCulture)];
        if (headers.GetValueOrDefault("Expect", "").Contains("100", StringComparison.Ordinal))
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stop.Token);
        await stream.ReadExactlyAsync(body, _stop.Token);
        var first = lines[0].Split(' ');
        return new FakeRequest(first[0], first[1], headers, Encoding.UTF8.GetString(body));
    }
}
