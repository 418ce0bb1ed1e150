using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Fumidai.SessionManager;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>What the official plugin 1.2.677 sent, frame by frame, played to the lab's gateway and agent; what they answer is held against what the official agent answered.</summary>
public sealed class RecordedClientTests
{
    [Theory]
    [InlineData("mux_one_connection")]
    [InlineData("mux_three_connections")]
    [InlineData("duplicate_messages")]
    public async Task The_recorded_plugin_gets_the_bytes_that_the_official_agent_gave_it(string name)
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        using var echo = new TcpListener(seed.Bastion.PrivateAddress, 0);
        echo.Start();
        _ = EchoAsync(echo);
        await ReplayAsync(lab, seed, Recording.Load(name), ((IPEndPoint)echo.LocalEndpoint).Port);
    }

    [Fact]
    public async Task The_recorded_plugin_is_told_of_a_refusal_as_the_official_agent_tells_it()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        var seed = SeedParts.Of(lab);
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(seed.Bastion.PrivateAddress, 0));
        await ReplayAsync(lab, seed, Recording.Load("mux_refused"), ((IPEndPoint)holder.LocalEndPoint!).Port);
    }

    private static async Task ReplayAsync(RelayFixture lab, SeedParts seed, Recording recording, int port)
    {
        var ticket = await new SignedControl(lab).StartAsync(seed.Bastion.Id, "AWS-StartPortForwardingSession", string.Create(CultureInfo.InvariantCulture, $$"""{"portNumber":["{{port}}"]}"""));
        using var client = await lab.ConnectAsync(ticket.StreamUrl, ticket.Token, "1.2.677.0");
        var (expected, received) = (new Heard(), new Heard());
        var sent = new List<long>();
        foreach (var line in recording.Lines)
        {
            if (line.Kind != "binary" || line.Relay is { } relay && relay.Contains("made by the service", StringComparison.Ordinal))
                continue;
            Assert.True(AgentMessage.TryParse(line.Frame, out var message, out _));
            if (line is { From: "agent", To: "client" })
            {
                expected.Add(message);
                continue;
            }
            if (line is not { From: "client", To: "agent" })
                continue;
            while (!received.ReachedBy(expected))
                received.Add(await client.MessageAsync());
            if (message.MessageType == MessageTypes.InputStreamData)
                sent.Add(message.SequenceNumber);
            await client.SendAsync(line.Frame);
        }
        // What was sent last is Flag 2: the agent may leave before it acknowledges it.
        while (!received.ReachedBy(expected) || !sent.SkipLast(1).All(received.Acknowledged.Contains))
            received.Add(await client.MessageAsync());
        Assert.Equal(expected.Stream.Keys.Order(), received.Stream.Keys.Order());
        foreach (var (id, bytes) in expected.Stream)
            Assert.Equal(Convert.ToHexString([.. bytes]), Convert.ToHexString([.. received.Stream[id]]));
        Assert.Equal(expected.Finished.Order(), received.Finished.Order());
        Assert.Equal(expected.Refusals, received.Refusals);
        Assert.Equal(expected.Handshake, received.Handshake);
        // The session ends by Flag 2 as the recorded one did; the service then closes the channel.
        while ((await client.MessageAsync()).MessageType != MessageTypes.ChannelClosed)
        {
        }
    }

    private static async Task EchoAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(ServerFixture.Limit);
                _ = ReturnAsync(client);
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static async Task ReturnAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await client.GetStream().CopyToAsync(client.GetStream(), ServerFixture.Limit);
            }
            catch (IOException)
            {
                // Reset.
            }
        }
    }

    /// <summary>What an agent has said, freed of numbers, times and message boundaries. Each sequenced message counts once.</summary>
    private sealed class Heard
    {
        private readonly SortedDictionary<long, AgentMessage> _early = [];
        private readonly List<byte> _bytes = [];
        private long _next;

        public List<string> Handshake { get; } = [];
        public Dictionary<uint, List<byte>> Stream { get; } = [];
        public List<uint> Finished { get; } = [];
        public int Refusals { get; private set; }
        public HashSet<long> Acknowledged { get; } = [];

        public bool ReachedBy(Heard expected) => Handshake.Count >= expected.Handshake.Count && Refusals >= expected.Refusals && Finished.Count >= expected.Finished.Count
            && expected.Stream.All(pair => Stream.TryGetValue(pair.Key, out var bytes) && bytes.Count >= pair.Value.Count);

        public void Add(AgentMessage message)
        {
            if (message.MessageType == MessageTypes.Acknowledge)
            {
                using var acknowledgement = JsonDocument.Parse(message.Payload);
                Acknowledged.Add(acknowledgement.RootElement.GetProperty("AcknowledgedMessageSequenceNumber").GetInt64());
            }
            if (message.MessageType != MessageTypes.OutputStreamData || message.SequenceNumber < _next)
                return;
            _early[message.SequenceNumber] = message with { Payload = message.Payload.ToArray() };
            while (_early.Remove(_next, out var due))
            {
                _next++;
                Take(due);
            }
        }

        private void Take(AgentMessage message)
        {
            switch (message.PayloadType)
            {
                case PayloadType.HandshakeRequest:
                    using (var request = JsonDocument.Parse(message.Payload))
                    {
                        var action = request.RootElement.GetProperty("RequestedClientActions")[0];
                        Handshake.Add($"{request.RootElement.GetProperty("AgentVersion")} {action.GetProperty("ActionType")} {action.GetProperty("ActionParameters").GetProperty("SessionType")} {action.GetProperty("ActionParameters").GetProperty("Properties").GetProperty("type")}");
                    }
                    break;
                case PayloadType.HandshakeComplete:
                    Handshake.Add("complete");
                    break;
                case PayloadType.Flag:
                    Assert.Equal(3u, BinaryPrimitives.ReadUInt32BigEndian(message.Payload.Span));
                    Refusals++;
                    break;
                default:
                    _bytes.AddRange(message.Payload.ToArray());
                    Frames();
                    break;
            }
        }

        private void Frames()
        {
            while (_bytes.Count >= 8)
            {
                var header = _bytes.Take(8).ToArray();
                var length = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(2));
                if (_bytes.Count < 8 + length)
                    return;
                var id = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
                Assert.Equal(1, header[0]);
                if (header[1] == 2)
                {
                    if (!Stream.TryGetValue(id, out var stream))
                        Stream[id] = stream = [];
                    stream.AddRange(_bytes.Skip(8).Take(length));
                }
                else if (header[1] == 1)
                {
                    Finished.Add(id);
                }
                _bytes.RemoveRange(0, 8 + length);
            }
        }
    }
}
