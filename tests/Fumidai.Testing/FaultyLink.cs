using System.Net.WebSockets;
using Fumidai.SessionManager;

namespace Fumidai.Testing;

/// <summary>Which way a message travels.</summary>
public enum Way
{
    ToAgent,
    ToClient,
}

/// <summary>What happens to one message: the <paramref name="Message"/>-th binary one (from 0) going that way.</summary>
public abstract record Fault(Way Way, int Message)
{
    /// <summary>It is lost.</summary>
    public sealed record Drop(Way Way, int Message) : Fault(Way, Message);

    /// <summary>It arrives twice.</summary>
    public sealed record Duplicate(Way Way, int Message) : Fault(Way, Message);

    /// <summary>It arrives after the next one.</summary>
    public sealed record Swap(Way Way, int Message) : Fault(Way, Message);

    /// <summary>Instead of it the client's connection is lost.</summary>
    public sealed record CutClient(Way Way, int Message) : Fault(Way, Message);

    /// <summary>Instead of it the agent's connection is lost.</summary>
    public sealed record CutAgent(Way Way, int Message) : Fault(Way, Message);

    /// <summary>One byte of its payload is another.</summary>
    public sealed record Corrupt(Way Way, int Message) : Fault(Way, Message);

    /// <summary>Its last half is missing.</summary>
    public sealed record Truncate(Way Way, int Message) : Fault(Way, Message);

    /// <summary>Instead of it the client's websocket is closed with that status.</summary>
    public sealed record Close(Way Way, int Message, WebSocketCloseStatus Status) : Fault(Way, Message);

    /// <summary>After it the sender is told to pause, and never to start again.</summary>
    public sealed record Pause(Way Way, int Message) : Fault(Way, Message);

    /// <summary>It and so many after it, in both directions, are lost while both connections stand: a half-open path. Then the client's is lost.</summary>
    public sealed record Stall(Way Way, int Message, int Messages) : Fault(Way, Message);

    /// <summary>Instead of it the client's connection is lost, and so many attempts to come back fail.</summary>
    public sealed record Blackout(Way Way, int Message, int Attempts) : Fault(Way, Message);
}

/// <summary>
/// The service in memory: pairs a client's websocket with an agent's and forwards messages, except for the faults of its script. Messages to an
/// absent side are lost, as with a relay; nothing runs by itself and nothing depends on time. A random script comes from a seed; print it when a test fails.
/// </summary>
public sealed class FaultyLink : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Func<Way, int, Fault?> _script;
    private readonly int[] _count = new int[2];
    private readonly byte[]?[] _held = new byte[]?[2];
    private int _refused;
    private int _swallowed;
    private LinkSocket? _client;
    private LinkSocket? _agent;

    public FaultyLink(params Fault[] faults) => _script = (way, message) => faults.FirstOrDefault(f => f.Way == way && f.Message == message);

    private FaultyLink(Func<Way, int, Fault?> script) => _script = script;

    /// <summary>Random faults: each message suffers one with the given probability, in per cent. The first <paramref name="sparing"/> each way pass.</summary>
    public static FaultyLink Random(int seed, int dropPercent = 5, int duplicatePercent = 5, int swapPercent = 5, int cutPerMille = 3, int sparing = 0)
    {
        var random = new Random(seed);
        return new((way, message) =>
        {
            var dice = random.Next(1000);
            if (message < sparing) return null;
            if ((dice -= dropPercent * 10) < 0) return new Fault.Drop(way, message);
            if ((dice -= duplicatePercent * 10) < 0) return new Fault.Duplicate(way, message);
            if ((dice -= swapPercent * 10) < 0) return new Fault.Swap(way, message);
            if (dice - cutPerMille < 0) return (dice & 1) == 0 ? new Fault.CutClient(way, message) : new Fault.CutAgent(way, message);
            return null;
        });
    }

    /// <summary>
    /// One fault of each kind after the other, <paramref name="faults"/> of them, at messages chosen by the seed among the first
    /// <paramref name="messages"/> each way.
    /// </summary>
    public static FaultyLink Seeded(int seed, int faults, int messages)
    {
        var random = new Random(seed);
        var script = new Dictionary<(Way, int), Fault>();
        while (script.Count < faults)
        {
            var (way, at) = ((Way)random.Next(2), random.Next(20, messages));
            script[(way, at)] = (script.Count % 12) switch
            {
                0 => new Fault.Drop(way, at),
                1 => new Fault.Duplicate(way, at),
                2 => new Fault.Swap(way, at),
                3 => new Fault.CutClient(way, at),
                4 => new Fault.CutAgent(way, at),
                // The agent looks at no digest (protocol §2.1): what is spoilt on its way there stays spoilt.
                5 => way == Way.ToClient ? new Fault.Corrupt(way, at) : new Fault.Drop(way, at),
                6 => new Fault.Truncate(way, at),
                7 => new Fault.Close(way, at, WebSocketCloseStatus.NormalClosure),
                8 => new Fault.Close(way, at, WebSocketCloseStatus.InternalServerError),
                9 => new Fault.Pause(way, at),
                10 => new Fault.Stall(way, at, random.Next(1, 400)),
                _ => new Fault.Blackout(way, at, random.Next(1, 30)),
            };
        }
        return new((way, message) => script.GetValueOrDefault((way, message)));
    }

    /// <summary>Messages the service does not take, whatever the script says.</summary>
    public Func<Way, byte[], bool>? Refuses { get; set; }

    /// <summary>Whether such a message costs its sender the connection.</summary>
    public bool RefusalCuts { get; set; }

    /// <summary>Faults that have happened.</summary>
    public int FaultsDone { get; private set; }

    /// <summary>Messages that came in from either side so far; tells a test whether anything still moves.</summary>
    public long Activity { get; private set; }

    /// <summary>First text messages, in order of arrival.</summary>
    public List<string> Greetings { get; } = [];

    /// <summary>How often the client connected.</summary>
    public int ClientConnections { get; private set; }

    /// <summary>How often the agent connected.</summary>
    public int AgentConnections { get; private set; }

    /// <summary>Sees every binary message before faults apply. Called under the link's lock: look, don't wait.</summary>
    public Action<Way, byte[]>? Watch { get; set; }

    public ValueTask<WebSocket> ConnectClientAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            Activity++;
            if (_refused > 0)
            {
                _refused--;
                throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
            }
            ClientConnections++;
            _client?.Abort();
            return ValueTask.FromResult<WebSocket>(_client = new LinkSocket((socket, bytes, type) => OnSent(Way.ToAgent, socket, bytes, type)));
        }
    }

    public ValueTask<WebSocket> ConnectAgentAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            AgentConnections++;
            _agent?.Abort();
            return ValueTask.FromResult<WebSocket>(_agent = new LinkSocket((socket, bytes, type) => OnSent(Way.ToClient, socket, bytes, type)));
        }
    }

    /// <summary>Loses the client's connection, or the agent's.</summary>
    public void CutClient()
    {
        lock (_gate) _client?.Abort();
    }

    public void CutAgent()
    {
        lock (_gate) _agent?.Abort();
    }

    /// <summary>Closes the client's websocket as the service does every hour (protocol §1.6).</summary>
    public void CloseClient(string reason = "Bye")
    {
        lock (_gate)
        {
            _client?.DeliverClose(WebSocketCloseStatus.NormalClosure, reason);
            _client = null;
        }
    }

    /// <summary>A message of the service's own, past the script.</summary>
    public void Send(Way way, AgentMessage message) => Send(way, message.ToArray());

    public void Send(Way way, byte[] message)
    {
        lock (_gate) Deliver(way, message);
    }

    public void Dispose()
    {
        _client?.Dispose();
        _agent?.Dispose();
    }

    private void OnSent(Way way, LinkSocket from, byte[] bytes, WebSocketMessageType type)
    {
        lock (_gate)
        {
            Activity++;
            if (!ReferenceEquals(from, way == Way.ToAgent ? _client : _agent)) return;
            if (type == WebSocketMessageType.Text)
            {
                Greetings.Add(System.Text.Encoding.UTF8.GetString(bytes));
                return;
            }
            Watch?.Invoke(way, bytes);
            if (AgentMessage.TryParse(bytes, out var message, out _) && message.MessageType == MessageTypes.AgentSessionState) return;
            if (Refuses?.Invoke(way, bytes) == true)
            {
                if (RefusalCuts) from.Abort();
                return;
            }
            Apply(_script(way, _count[(int)way]++), way, bytes);
        }
    }

    private void Apply(Fault? fault, Way way, byte[] bytes)
    {
        if (fault is not null) FaultsDone++;
        if (_swallowed > 0)
        {
            if (--_swallowed == 0) _client?.Abort();
            return;
        }
        switch (fault)
        {
            case Fault.Corrupt when bytes.Length > 120:
                var spoilt = bytes.ToArray();
                spoilt[^1] ^= 0x40;
                Deliver(way, spoilt);
                break;
            case Fault.Truncate:
                // What is left has a length that does not fit: a header's worth at most.
                Deliver(way, bytes[..Math.Min(100, bytes.Length / 2)]);
                break;
            case Fault.Close close:
                _client?.DeliverClose(close.Status, "");
                _client = null;
                break;
            case Fault.Pause:
                Deliver(way, bytes);
                Deliver(way == Way.ToAgent ? Way.ToClient : Way.ToAgent, ServiceMessages.PausePublication(Guid.NewGuid(), DateTimeOffset.UnixEpoch.AddYears(50)).ToArray());
                break;
            case Fault.Stall stall:
                _swallowed = stall.Messages;
                break;
            case Fault.Blackout blackout:
                _refused = blackout.Attempts;
                _client?.Abort();
                break;
            case Fault.Drop:
                break;
            case Fault.Swap when _held[(int)way] is null:
                _held[(int)way] = bytes;
                return;
            case Fault.CutClient:
                _client?.Abort();
                break;
            case Fault.CutAgent:
                _agent?.Abort();
                break;
            case Fault.Duplicate:
                Deliver(way, bytes);
                Deliver(way, bytes);
                break;
            default:
                Deliver(way, bytes);
                break;
        }
        if (_held[(int)way] is not { } held) return;
        _held[(int)way] = null;
        Deliver(way, held);
    }

    private void Deliver(Way way, byte[] bytes) => (way == Way.ToAgent ? _agent : _client)?.Deliver(bytes);
}
