using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class HealthServerTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    private static HealthServer Listen(TimeProvider? time = null) => HealthServer.Listen(
        new IPEndPoint(IPAddress.Loopback, 0),
        path => path switch
        {
            "/healthz" => HealthServer.Plain(200, "ok"),
            "/readyz" => HealthServer.Plain(503, "opening"),
            _ => null,
        },
        time ?? TimeProvider.System);

    [Theory]
    [InlineData("/healthz", HttpStatusCode.OK, "ok\n")]
    [InlineData("/healthz?verbose=1", HttpStatusCode.OK, "ok\n")]
    [InlineData("/readyz", HttpStatusCode.ServiceUnavailable, "opening\n")]
    [InlineData("/elsewhere", HttpStatusCode.NotFound, "not found\n")]
    public async Task A_real_HTTP_client_gets_its_page(string path, HttpStatusCode status, string text)
    {
        await using var server = Listen();
        using var client = new HttpClient { Timeout = Guard };

        using var answer = await client.GetAsync(new Uri($"http://{server.EndPoint}{path}"), TestContext.Current.CancellationToken);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(text, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("HEAD /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", "\r\n\r\n")]
    [InlineData("POST /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed", "method not allowed\n")]
    [InlineData("GET http://elsewhere/ HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request", "bad request\n")]
    [InlineData("\u0016\u0003\u0001 not http\r\n\r\n", "HTTP/1.1 400 Bad Request", "bad request\n")]
    public async Task Other_words_get_an_answer_of_their_kind(string said, string head, string end)
    {
        await using var server = Listen();

        var heard = await SayAsync(server, said);

        Assert.StartsWith(head, heard, StringComparison.Ordinal);
        Assert.EndsWith(end, heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_without_an_end_is_refused_at_8_KiB()
    {
        await using var server = Listen();

        Assert.StartsWith("HTTP/1.1 400", await SayAsync(server, "GET / HTTP/1.1\r\nX: " + new string('x', 8192 - 19)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Those_who_say_nothing_are_dropped_in_time_and_the_next_is_served()
    {
        var time = new FakeTimeProvider();
        await using var server = Listen(time);
        var silent = new List<TcpClient>();
        for (var i = 0; i < 16; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync(server.EndPoint, TestContext.Current.CancellationToken);
            silent.Add(client);
        }
        var dropped = Task.WhenAll(silent.Select(async c => await c.GetStream().ReadAsync(new byte[1])));

        // Each is given five seconds from its accept on, so the clock goes on until all are gone.
        while (!dropped.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        Assert.All(await dropped, read => Assert.Equal(0, read));
        Assert.StartsWith("HTTP/1.1 200", await SayAsync(server, "GET /healthz HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        silent.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task A_port_that_is_held_is_named()
    {
        await using var server = Listen();

        var e = Assert.Throws<FumidaiException>(() => HealthServer.Listen(server.EndPoint, _ => null, TimeProvider.System));

        Assert.Contains(server.EndPoint.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Contains("--health-port", e.Message, StringComparison.Ordinal);
    }

    private static async Task<string> SayAsync(HealthServer server, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.EndPoint, TestContext.Current.CancellationToken);
        await client.Client.SendAsync(Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(Guard, TestContext.Current.CancellationToken);
    }
}
