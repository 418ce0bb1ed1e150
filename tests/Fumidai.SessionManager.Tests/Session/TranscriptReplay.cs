using System.Net.WebSockets;
using System.Text.Json;
using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Fumidai.SessionManager.Tests;

/// <summary>
/// Plays one side of a recorded conversation to our other side: before each frame it waits until ours has said what the recorded one had said by
/// then (vectors/README.md). The clock stands still, so ours repeats nothing by itself.
/// </summary>
internal sealed class TranscriptReplay : IDisposable
{
    private readonly Recording _transcript;
    private readonly string _side;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly Lock _gate = new();
    private readonly List<AgentMessage> _sent = [];
    private readonly List<AgentMessage> _delivered = [];
    private readonly List<(PayloadType Type, byte[] Payload)> _read = [];
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LinkSocket? _socket;
    private int _connections;
    private Task _reading = Task.CompletedTask;

    internal TranscriptReplay(string name, bool client)
    {
        _transcript = Recording.Load(name);
        _side = client ? "client" : "agent";
        Recorded = [.. _transcript.Lines.Where(l => l.Kind == "binary" && l.From == _side && l.To != "service").Select(l => Parse(l.Frame))];
    }

    /// <summary>What the recorded side said, repeats included.</summary>
    internal IReadOnlyList<AgentMessage> Recorded { get; }

    /// <summary>What ours said.</summary>
    internal IReadOnlyList<AgentMessage> Sent
    {
        get
        {
            lock (_gate) return [.. _sent];
        }
    }

    /// <summary>What ours was given.</summary>
    internal IReadOnlyList<AgentMessage> Delivered => _delivered;

    /// <summary>What the application above ours has read.</summary>
    internal IReadOnlyList<(PayloadType Type, byte[] Payload)> Read
    {
        get
        {
            lock (_gate) return [.. _read];
        }
    }

    internal DataChannel? Channel { get; private set; }
    internal FakeSessionControl Control { get; private set; } = new();
    internal ISessionKeySource? Keys { get; init; }
    internal int Connections => _connections;

    internal string SendType => _side == "client" ? MessageTypes.InputStreamData : MessageTypes.OutputStreamData;
    internal string ReceiveType => _side == "client" ? MessageTypes.OutputStreamData : MessageTypes.InputStreamData;

    internal static AgentMessage Parse(byte[] frame) =>
        AgentMessage.TryParse(frame, out var message, out var fault, verifyDigest: false) ? message : throw new InvalidDataException(fault.ToString());

    public void Dispose() => _socket?.Dispose();

    internal async Task RunAsync()
    {
        var starting = StartAsync();
        var distinct = new HashSet<long>();
        var acknowledged = new HashSet<long>();
        var held = new Dictionary<int, byte[]>();
        var connections = 0;
        foreach (var line in _transcript.Lines)
        {
            if (starting.IsFaulted) break;
            if (line.Kind == "text" && line.From == _side)
            {
                var before = connections++;
                await UntilAsync(() => _connections > before, line, starting);
            }
            else if (line.Kind == "tcp" && line.To == _side && line.From == "service") _socket!.Abort();
            else if (line.Kind == "close" && line.To == _side) _socket!.DeliverClose(WebSocketCloseStatus.NormalClosure, "Bye");
            else if (line.Kind == "note" && line.Text("text") is { } note && HeldFrame(note) is { } number && held.Remove(number, out var late)) Deliver(late);
            if (line.Kind != "binary" || line.To == "service") continue;
            if (line.To == _side)
            {
                if (line.Relay is { } relay && (relay.StartsWith("dropped", StringComparison.Ordinal) || relay.StartsWith("held", StringComparison.Ordinal)))
                {
                    held[line.Json.GetProperty("n").GetInt32()] = line.Frame;
                    continue;
                }
                Deliver(line.Frame);
                if (line.Relay?.StartsWith("forwarded twice", StringComparison.Ordinal) == true) Deliver(line.Frame);
                continue;
            }
            if (line.From != _side) continue;
            var said = Parse(line.Frame);
            if (said.MessageType == MessageTypes.Acknowledge && Acknowledgement.TryRead(said.Payload.Span, out var of))
            {
                if (acknowledged.Add(of)) await UntilAsync(() => Acknowledges(of) > 0, line, starting);
            }
            else if (said.MessageType == SendType && distinct.Add(said.SequenceNumber))
            {
                if (said.PayloadType is < PayloadType.HandshakeRequest or > PayloadType.EncChallengeResponse)
                {
                    var channel = await starting.Guarded();
                    await channel.SendAsync(said.PayloadType, Unseal(said).Payload, CancellationToken.None);
                    await channel.FlushAsync(CancellationToken.None);
                }
                await UntilAsync(() => _sent.Any(m => m.MessageType == SendType && m.SequenceNumber == said.SequenceNumber), line, starting);
            }
        }
        Channel = await starting.Guarded();
        // All that was delivered in order must come out above.
        var expected = Expected().Count;
        await UntilAsync(() => _read.Count >= expected, null, starting);
        if (_delivered.Any(m => m.MessageType == MessageTypes.ChannelClosed)) await Channel.Ended.Guarded();
        else await UntilAsync(() => _sent.Count(m => m.MessageType == MessageTypes.Acknowledge) >= _delivered.Count(m => m.MessageType == ReceiveType), null, starting);
        await Channel.DisposeAsync();
        await _reading.Guarded();
    }

    /// <summary>The payloads that must have been read: each delivered number once, in order, handshake aside.</summary>
    internal List<(PayloadType Type, byte[] Payload)> Expected()
    {
        var bySequence = new SortedDictionary<long, AgentMessage>();
        foreach (var message in _delivered)
            if (message.MessageType == ReceiveType)
                bySequence.TryAdd(message.SequenceNumber, message);
        var payloads = new List<(PayloadType, byte[])>();
        long next = 0;
        foreach (var (sequence, message) in bySequence)
        {
            if (sequence != next++) break;
            if (message.PayloadType is >= PayloadType.HandshakeRequest and <= PayloadType.EncChallengeResponse) continue;
            payloads.Add(Unseal(message));
        }
        return payloads;
    }

    /// <summary>How often ours acknowledged a number.</summary>
    internal int Acknowledges(long sequence)
    {
        lock (_gate) return _sent.Count(m => m.MessageType == MessageTypes.Acknowledge && Acknowledgement.TryRead(m.Payload.Span, out var of) && of == sequence);
    }

    /// <summary>Opens a recorded payload with the recorded key, where there is one.</summary>
    internal (PayloadType Type, byte[] Payload) Unseal(AgentMessage message)
    {
        var payload = message.Payload.ToArray();
        if (!_transcript.Meta.TryGetProperty("kms", out var kms) || !SessionCipher.Covers(message.PayloadType)) return (message.PayloadType, payload);
        using var opener = new SessionCipher(Convert.FromHexString(kms.GetProperty("dataKeyPlaintextHex").GetString()!), isAgent: message.MessageType == MessageTypes.InputStreamData);
        return opener.TryOpen(payload, out var plaintext) ? (message.PayloadType, payload[plaintext]) : throw new InvalidDataException("the payload does not open");
    }

    private static int? HeldFrame(string note)
    {
        var at = note.IndexOf("n=", StringComparison.Ordinal);
        return at >= 0 && note.Contains("forwards", StringComparison.Ordinal) ? int.Parse(new string([.. note[(at + 2)..].TakeWhile(char.IsAsciiDigit)])) : null;
    }

    private void Deliver(byte[] frame)
    {
        _delivered.Add(Parse(frame));
        _socket!.Deliver(frame);
    }

    private async Task<DataChannel> StartAsync()
    {
        var channel = _side == "client" ? await ConnectAsync() : await ServeAsync();
        _reading = ReadAllAsync(channel);
        return channel;
    }

    private Task<DataChannel> ConnectAsync()
    {
        Control = new(_transcript.SessionId);
        return DataChannel.ConnectAsync(Control.Ticket, Control, new ClientChannelOptions
        {
            ClientVersion = _transcript.Meta.GetProperty("plugin").GetString()!,
            Target = "i-0123456789abcdef0",
            MessagesPerSecond = 0,
            Keys = Keys,
            Connect = (_, _) => ValueTask.FromResult(Open()),
            Time = _time,
        }, CancellationToken.None);
    }

    private Task<DataChannel> ServeAsync()
    {
        var request = Recorded.Where(m => m.PayloadType == PayloadType.HandshakeRequest).Select(m => MessageJson.TryRead(m.Payload.Span, MessageJson.Relaxed.HandshakeRequest)).FirstOrDefault();
        var session = request?.RequestedClientActions!.Single(a => a.ActionType == ActionTypes.SessionType).ActionParameters.Deserialize(MessageJson.Relaxed.SessionTypeParameters);
        var kms = request?.RequestedClientActions!.SingleOrDefault(a => a.ActionType == ActionTypes.KmsEncryption)?.ActionParameters.Deserialize(MessageJson.Relaxed.KmsEncryptionParameters);
        return DataChannel.ServeAsync(new AgentChannelOptions
        {
            SessionId = _transcript.SessionId,
            InstanceId = "i-0123456789abcdef0",
            AgentVersion = request?.AgentVersion ?? "3.3.1142.0",
            SessionType = session?.SessionType ?? "Standard_Stream",
            Properties = session?.Properties.ValueKind == JsonValueKind.Object
                ? session.Properties.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!)
                : null,
            Handshake = request is not null,
            KmsKeyId = kms?.KmsKeyId,
            Keys = Keys,
            Connect = _ => ValueTask.FromResult(Open()),
            Time = _time,
        }, CancellationToken.None);
    }

    private async Task ReadAllAsync(DataChannel channel)
    {
        while (await channel.ReadAsync(CancellationToken.None))
        {
            lock (_gate) _read.Add((channel.Current.Type, channel.Current.Payload.ToArray()));
            Move();
        }
    }

    private WebSocket Open()
    {
        Interlocked.Increment(ref _connections);
        var socket = _socket = new LinkSocket((_, bytes, type) =>
        {
            if (type == WebSocketMessageType.Binary)
                lock (_gate)
                    _sent.Add(Parse(bytes));
            Move();
        });
        Move();
        return socket;
    }

    private void Move()
    {
        TaskCompletionSource moved;
        lock (_gate) (moved, _moved) = (_moved, new(TaskCreationOptions.RunContinuationsAsynchronously));
        moved.TrySetResult();
    }

    private async Task UntilAsync(Func<bool> condition, RecordingLine? line, Task starting)
    {
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                if (condition()) return;
                moved = _moved.Task;
            }
            try
            {
                if (await Task.WhenAny(moved, starting.IsCompleted ? moved : starting).WaitAsync(TimeSpan.FromSeconds(20)) == starting && starting.IsFaulted) return;
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"ours does not do what the recorded {_side} did: {(line?.ToString() is { } text ? text[..Math.Min(300, text.Length)] : "read everything")}");
            }
        }
    }
}

/// <summary>KMS as it was in the recording.</summary>
internal sealed class RecordedKeys(byte[] plaintext, byte[] ciphertext) : ISessionKeySource
{
    internal List<IReadOnlyDictionary<string, string>> Contexts { get; } = [];

    public ValueTask<SessionDataKey> GenerateAsync(string kmsKeyId, IReadOnlyDictionary<string, string> encryptionContext, CancellationToken cancellationToken)
    {
        Contexts.Add(encryptionContext);
        return ValueTask.FromResult(new SessionDataKey([.. plaintext], ciphertext));
    }

    public ValueTask<byte[]> DecryptAsync(byte[] given, IReadOnlyDictionary<string, string> encryptionContext, CancellationToken cancellationToken)
    {
        Contexts.Add(encryptionContext);
        return given.SequenceEqual(ciphertext) ? ValueTask.FromResult<byte[]>([.. plaintext]) : throw new InvalidDataException("another key");
    }
}
