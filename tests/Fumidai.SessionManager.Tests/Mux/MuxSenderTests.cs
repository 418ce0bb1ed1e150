using System.Threading.Channels;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>What leaves in which message, in which order: the channel takes one message each time the test lets it.</summary>
public sealed class MuxSenderTests : IAsyncDisposable
{
    private readonly GatedChannel _channel = new();
    private readonly MuxSession _session;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sender;

    public MuxSenderTests()
    {
        _session = new MuxSession(_channel, MuxRole.Client, TimeSpan.Zero, TimeProvider.System);
        _sender = _session.RunSenderAsync(_stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _session.End(new SessionEndedException(new SessionEnd(SessionEndKind.Local, "")));
        await _sender.Quietly();
        _stop.Dispose();
    }

    [Fact]
    public async Task Opening_is_said_at_once_and_flushed()
    {
        _session.Open();
        Assert.Equal("0100000003000000", Convert.ToHexStringLower(await _channel.LetOneAsync()));
        await _channel.FlushedAsync();
    }

    [Fact]
    public async Task Messages_are_full_while_there_is_more_to_say_and_the_last_one_goes_as_it_is()
    {
        var stream = _session.Open();
        await stream.Output.SendAsync(TestBytes.Pattern(1, 10_000));
        var sizes = new List<int>();
        var received = new SmuxLog();
        while (received.BytesOf(3).Length < 10_000)
        {
            var message = await _channel.LetOneAsync();
            sizes.Add(message.Length);
            received.Add(message);
        }
        Assert.Equal(TestBytes.Pattern(1, 10_000), received.BytesOf(3));
        // The SYN may have left alone, before the bytes were there.
        Assert.All(sizes.Skip(sizes[0] == MuxFrameHeader.Size ? 1 : 0).SkipLast(1), size => Assert.Equal(_channel.MaxPayload, size));
        await _channel.FlushedAsync();
    }

    [Fact]
    public async Task A_small_frame_never_waits_behind_more_than_a_message_of_another_streams_bulk()
    {
        var bulk = _session.Open();
        var small = _session.Open();
        var log = new SmuxLog();
        await bulk.Output.SendAsync(new byte[60_000]);
        for (var i = 0; i < 5; i++) log.Add(await _channel.LetOneAsync());

        for (var round = 0; round < 20; round++)
        {
            var before = log.BytesOf(5).Length;
            await small.Output.SendAsync(new byte[] { 7 });
            // One message is being sent, one is being filled; the byte is in the next.
            for (var messages = 0; messages < 3 && log.BytesOf(5).Length == before; messages++) log.Add(await _channel.LetOneAsync());
            Assert.Equal(before + 1, log.BytesOf(5).Length);
            Assert.True(log.BytesOf(3).Length < 60_000, "the bulk must still be going on for this to mean anything");
        }
    }

    [Fact]
    public async Task Streams_with_bulk_take_turns()
    {
        var streams = Enumerable.Range(0, 4).Select(_ => _session.Open()).ToArray();
        foreach (var stream in streams) await stream.Output.SendAsync(new byte[50_000]);
        var log = new SmuxLog();
        for (var i = 0; i < 100; i++) log.Add(await _channel.LetOneAsync());
        var shares = streams.Select(stream => log.BytesOf(stream.Id).Length).ToArray();
        Assert.InRange(shares.Max() - shares.Min(), 0, 4 * _channel.MaxPayload);
    }

    [Fact]
    public async Task A_stream_given_up_before_anybody_heard_of_it_is_never_mentioned()
    {
        var first = _session.Open();
        await first.Output.SendAsync(new byte[5_000]);
        var second = _session.Open();
        second.Abort(new IOException("changed my mind"));
        var third = _session.Open();
        var log = new SmuxLog();
        while (!log.Events.Contains("SYN 7")) log.Add(await _channel.LetOneAsync());
        Assert.DoesNotContain("SYN 5", log.Events);
        Assert.Equal(7u, third.Id);
        Assert.Equal(2, _session.KnownStreams);
    }

    private sealed class GatedChannel : IPayloadChannel
    {
        private readonly Channel<byte[]> _sent = Channel.CreateUnbounded<byte[]>();
        private readonly Channel<bool> _gate = Channel.CreateUnbounded<bool>();
        private readonly Channel<bool> _flushes = Channel.CreateUnbounded<bool>();

        public int MaxPayload => 1024;

        public ReceivedPayload Current => throw new InvalidOperationException();

        public Task<SessionEnd> Ended { get; } = new TaskCompletionSource<SessionEnd>().Task;

        public async ValueTask SendAsync(PayloadType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            await _gate.Reader.ReadAsync(cancellationToken);
            _sent.Writer.TryWrite(payload.ToArray());
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            _flushes.Writer.TryWrite(true);
            return ValueTask.CompletedTask;
        }

        public ValueTask<bool> ReadAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

        public async Task<byte[]> LetOneAsync()
        {
            _gate.Writer.TryWrite(true);
            return await _sent.Reader.ReadAsync(CancellationToken.None).AsTask().Soon();
        }

        public Task FlushedAsync() => _flushes.Reader.ReadAsync(CancellationToken.None).AsTask().Soon();
    }
}
