using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using Fumidai.SessionManager;
using Microsoft.AspNetCore.Http;

namespace Fumidai.Lab;

/// <summary>
/// <c>/openTunnel</c> of EC2 Instance Connect Endpoints (aws-facts §6.1): a presigned websocket for one TCP connection to port 22 or 3389 of a private
/// address, at most an hour, twenty at a time for one endpoint. Bytes go in binary frames.
/// </summary>
/// <remarks>Lab only, backed by no recording: the close code and reason at the hour's end, and the error codes other than that of a wrong port.</remarks>
internal sealed class ConnectTunnels(LabContext context, RealEndPoints places) : ILabRoutes, IDisposable
{
    internal const string Path = "/openTunnel";
    internal const int Most = 20;
    internal const int MaxFrame = 65_000;
    internal static readonly TimeSpan MaxDuration = TimeSpan.FromSeconds(3600);

    private const string Operation = "ec2-instance-connect:OpenTunnel";
    private static readonly TimeSpan s_dialLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, int> _open = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();

    public bool Owns(HttpRequest request) => request.Path.Value == Path;

    public async Task AnswerAsync(HttpContext http)
    {
        http.Response.Headers["x-amzn-RequestId"] = Guid.NewGuid().ToString();
        try
        {
            await ServeAsync(http).ConfigureAwait(false);
        }
        catch (AwsError error)
        {
            context.Calls.Report(Operation, null, error.Code);
            http.Response.StatusCode = error.Status;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync($$"""{"ErrorCode":"{{error.Code}}","Message":"{{JsonEncodedText.Encode(error.Message)}}"}""", http.RequestAborted).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private async Task ServeAsync(HttpContext http)
    {
        string Query(string name) => http.Request.Query[name].ToString();
        SignedRequest signed;
        try
        {
            signed = context.Authentication.Authenticate(http.Request, [], "ec2-instance-connect", AwsProtocol.Json11);
        }
        catch (AwsError error)
        {
            throw new AwsError(error.Code, error.Message, 403);
        }
        var id = Query("instanceConnectEndpointId");
        var endpoint = context.Model.Read(m => m.ConnectEndpoints.GetValueOrDefault(id)) is { } found && found.Account == signed.Caller.Account && found.Region == signed.Region
            ? found
            : throw new AwsError("ResourceNotFound", $"The instance connect endpoint '{id}' does not exist");
        if (!IPAddress.TryParse(Query("privateIpAddress"), out var address))
            throw new AwsError("InvalidParameter", "The specified privateIpAddress is not valid.");
        if (!int.TryParse(Query("remotePort"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is not (22 or 3389))
            throw new AwsError("InvalidParameter", "The specified RemotePort is not valid. Specify either 22 or 3389 as the RemotePort and retry your request.");
        var duration = MaxDuration;
        if (Query("maxTunnelDuration") is { Length: > 0 } asked)
        {
            duration = int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 3600
                ? TimeSpan.FromSeconds(seconds)
                : throw new AwsError("InvalidParameter", "The specified maxTunnelDuration is not valid. Specify 1 to 3600.");
        }
        Demand(http, signed, endpoint, address, port, Query("maxTunnelDuration"));
        if (endpoint.State is not "create-complete")
            throw new AwsError("InvalidState", $"The instance connect endpoint is {endpoint.State}");
        if (_open.AddOrUpdate(id, 1, (_, open) => open + 1) > Most)
        {
            _open.AddOrUpdate(id, 0, (_, open) => open - 1);
            throw new AwsError("LimitExceeded", "The maximum number of concurrent connections of the instance connect endpoint has been reached.", 429);
        }
        try
        {
            await CarryAsync(http, signed.Caller, endpoint, address, port, duration).ConfigureAwait(false);
        }
        finally
        {
            _open.AddOrUpdate(id, 0, (_, open) => open - 1);
        }
    }

    private void Demand(HttpContext http, SignedRequest signed, ConnectEndpoint endpoint, IPAddress address, int port, string duration)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ec2-instance-connect:remotePort"] = port.ToString(CultureInfo.InvariantCulture),
            ["ec2-instance-connect:privateIpAddress"] = address.ToString(),
        };
        if (duration.Length > 0)
            keys["ec2-instance-connect:maxTunnelDuration"] = duration;
        foreach (var (key, value) in endpoint.Tags)
            keys[$"aws:ResourceTag/{key}"] = value;
        try
        {
            context.Permissions.Demand(
                signed.Caller, Operation, new($"arn:aws:ec2:{endpoint.Region}:{endpoint.Account}:instance-connect-endpoint/{endpoint.Id}", keys),
                new(signed.Region, http.Connection.RemoteIpAddress, http.Request.IsHttps), AwsProtocol.Json11);
        }
        catch (AwsError error)
        {
            throw new AwsError(error.Code, error.Message, 403);
        }
    }

    private async Task CarryAsync(HttpContext http, Caller caller, ConnectEndpoint endpoint, IPAddress address, int port, TimeSpan duration)
    {
        using var client = await DialAsync(http, endpoint, address, port).ConfigureAwait(false);
        if (await WebSocketUpgrade.AcceptAsync(http).ConfigureAwait(false) is not { } socket)
            return;
        context.Calls.Report(Operation, caller, "101");
        using var end = new RelayEnd(socket, endpoint.Id, http.Abort);
        using var over = new CancellationTokenSource(duration, context.Time);
        // Not linked to the end of its time: a read that is cancelled cuts the websocket, and its client would never hear the reason.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, http.RequestAborted);
        var up = UpAsync(socket, client, stop);
        var down = DownAsync(socket, client, stop);
        // An endpoint that is deleted ends what it carries.
        var watching = WatchAsync(endpoint, address, port, stop);
        var elapsed = Task.Delay(Timeout.InfiniteTimeSpan, context.Time, over.Token);
        await Task.WhenAny(up, down, watching, elapsed).ConfigureAwait(false);
        client.Shutdown(SocketShutdown.Receive); // ends the way down, so that the close frame stands alone
        await down.WaitAsync(s_closeLimit, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (over.IsCancellationRequested)
            await end.CloseAsync(WebSocketCloseStatus.PolicyViolation, "The tunnel's maximum duration was reached").ConfigureAwait(false);
        else if (watching.IsCompleted && !stop.IsCancellationRequested)
            await end.CloseAsync(WebSocketCloseStatus.EndpointUnavailable, "The instance connect endpoint or its instance is gone").ConfigureAwait(false);
        else
            await end.CloseAsync(WebSocketCloseStatus.NormalClosure, "").ConfigureAwait(false);
        // Its client answers the close; one that does not is cut.
        await up.WaitAsync(s_closeLimit, TimeProvider.System, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await over.CancelAsync().ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(up, down, watching, elapsed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        end.Abort();
    }

    private async Task<Socket> DialAsync(HttpContext http, ConnectEndpoint endpoint, IPAddress address, int port)
    {
        var reach = Reachability.FromConnectEndpoint(context.Model, endpoint.Id, http.Connection.RemoteIpAddress ?? IPAddress.Loopback, address, port);
        var stand = context.Model.Read(m => m.Stands.Of(endpoint.VpcId, address));
        if (reach.Verdict == Verdict.Open && places.TryFind(stand, port, out var real) && real is not null)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(real, http.RequestAborted).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
            }
        }
        else if (reach.Verdict == Verdict.Dropped)
        {
            // A SYN that nobody answers: the service gives up after a while.
            await Task.Delay(s_dialLimit, context.Time, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        throw new AwsError("ConnectionFailed", $"Unable to connect to {address} on port {port}", 502);
    }

    private static async Task UpAsync(BatchedWebSocket socket, Socket client, CancellationTokenSource stop)
    {
        var buffer = new byte[MaxFrame];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), stop.Token).ConfigureAwait(false);
            if (received.MessageType != WebSocketMessageType.Binary)
                return;
            for (var sent = 0; sent < received.Count;)
                sent += await client.SendAsync(buffer.AsMemory(sent, received.Count - sent), stop.Token).ConfigureAwait(false);
        }
    }

    private static async Task DownAsync(BatchedWebSocket socket, Socket client, CancellationTokenSource stop)
    {
        var buffer = new byte[MaxFrame];
        while (await client.ReceiveAsync(buffer.AsMemory(), stop.Token).ConfigureAwait(false) is > 0 and var read)
        {
            await socket.SendAsync(buffer.AsMemory(0, read), WebSocketMessageType.Binary, endOfMessage: true, stop.Token).ConfigureAwait(false);
            if (client.Available == 0)
                await socket.PushAsync(stop.Token).ConfigureAwait(false);
        }
    }

    private async Task WatchAsync(ConnectEndpoint endpoint, IPAddress address, int port, CancellationTokenSource stop)
    {
        while (true)
        {
            var change = context.Model.NextChange;
            var stands = context.Model.Read(m => m.ConnectEndpoints.ContainsKey(endpoint.Id) && m.Instances.Values.Any(i => i.VpcId == endpoint.VpcId && i.PrivateAddress.Equals(address) && i.State == "running"));
            if (!stands)
                return;
            await change.WaitAsync(stop.Token).ConfigureAwait(false);
        }
    }
}
