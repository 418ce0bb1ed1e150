using Fumidai.Testing;

namespace Fumidai.SessionManager.Tests;

/// <summary>A whole port session: our client, our agent, a relay between them on real sockets, a target of the test.</summary>
internal sealed class PortSession : IAsyncDisposable
{
    private PortSession(LoopbackRelay relay, LoopbackNetwork network, FakeSessionControl control, PortClient client, Task<SessionEnd> agent)
        => (Relay, Network, Control, Client, Agent) = (relay, network, control, client, agent);

    public static IReadOnlyDictionary<string, string> ToHost { get; } = new Dictionary<string, string>
    {
        ["type"] = "LocalPortForwarding",
        ["host"] = "db.example.internal",
        ["portNumber"] = "5432",
        ["localPortNumber"] = "0",
    };

    public LoopbackRelay Relay { get; }

    public LoopbackNetwork Network { get; }

    public FakeSessionControl Control { get; }

    public PortClient Client { get; }

    public Task<SessionEnd> Agent { get; }

    public static async Task<PortSession> StartAsync(IReadOnlyDictionary<string, string>? properties = null, string agentVersion = "3.3.1142.0",
        Action<LoopbackNetwork>? network = null, Func<PortClientOptions, PortClientOptions>? client = null)
    {
        var relay = new LoopbackRelay();
        var bastion = new LoopbackNetwork();
        bastion.Names["db.example.internal"] = [System.Net.IPAddress.Loopback];
        network?.Invoke(bastion);
        var control = new FakeSessionControl { Ticket = new StreamTicket("alice-0a1b2c3d4e5f60718", "token", relay.ClientUrl) };
        var agent = PortAgent.RunAsync(AgentOptions(relay, bastion, properties ?? ToHost, agentVersion), CancellationToken.None);
        var options = new PortClientOptions { MessagesPerSecond = 0 };
        var started = await PortClient.StartAsync(control.Ticket, control, client?.Invoke(options) ?? options, CancellationToken.None).Soon();
        return new PortSession(relay, bastion, control, started, agent);
    }

    public static AgentSessionOptions AgentOptions(LoopbackRelay relay, LoopbackNetwork network, IReadOnlyDictionary<string, string> properties, string agentVersion = "3.3.1142.0") => new()
    {
        SessionId = "alice-0a1b2c3d4e5f60718",
        InstanceId = "i-0123456789abcdef0",
        AgentVersion = agentVersion,
        Properties = properties,
        Network = network,
        Connect = async token =>
        {
            var socket = await BatchedWebSocket.ConnectAsync(relay.AgentUrl, [], new SocketSettings(), TimeProvider.System, token);
            await socket.SendAsync("{}"u8.ToArray(), System.Net.WebSockets.WebSocketMessageType.Text, endOfMessage: true, token);
            await socket.PushAsync(token);
            return socket;
        },
    };

    public async Task<PortStream> OpenAsync() => await Client.OpenStreamAsync(CancellationToken.None).AsTask().Soon();

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().AsTask().Soon();
        await Agent.Soon();
        Network.Dispose();
        await Relay.DisposeAsync();
    }
}
