using System.Collections.Concurrent;
using System.IO.Pipelines;

namespace Fumidai.Tests;

/// <summary>A route in memory: each channel is handed to <paramref name="far"/>, which plays the far end.</summary>
internal sealed class MemoryRoute(Func<MemoryChannel, Task> far) : IRoute, IAnsweringRoute
{
    /// <summary>A far end that says back what it hears.</summary>
    public static async Task EchoAsync(MemoryChannel channel)
    {
        while (true)
        {
            var result = await channel.Far.Input.ReadAsync();
            foreach (var segment in result.Buffer)
                await channel.Far.Output.WriteAsync(segment);
            channel.Far.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted || result.IsCanceled)
                break;
        }
        channel.Far.Read();
        await channel.Far.Output.CompleteAsync();
    }

    private readonly TaskCompletionSource<Exception?> _ended = new();
    private readonly ConcurrentBag<Task> _farEnds = [];

    public ConcurrentBag<MemoryChannel> Opened { get; } = [];

    public Func<HostPort, Exception?> Refuse { get; set; } = _ => null;

    public bool IsDisposed { get; private set; }

    public string Name { get; init; } = "memory";

    public string Bastion { get; init; } = "i-0memory";

    /// <summary>Whether it answers when asked.</summary>
    public bool Answers { get; set; } = true;

    /// <summary>Whether opening a channel never comes to an end.</summary>
    public bool Hangs { get; set; }

    public ValueTask<bool> AnswersAsync(TimeSpan within, CancellationToken cancellationToken) => new(Answers);

    public Task<Exception?> Ended => _ended.Task;

    public void Lose(Exception reason) => _ended.TrySetResult(reason);

    public ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken)
    {
        if (Hangs)
            return new(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ContinueWith<RouteChannel>(_ => throw new OperationCanceledException(cancellationToken), TaskScheduler.Default));
        if (Refuse(destination) is { } reason)
            throw reason;
        var channel = new MemoryChannel();
        Opened.Add(channel);
        _farEnds.Add(Task.Run(() => far(channel), cancellationToken));
        return new(channel);
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        _ended.TrySetResult(null);
        return ValueTask.CompletedTask;
    }
}

/// <summary>A channel over two bounded pipes.</summary>
internal sealed class MemoryChannel : RouteChannel
{
    /// <summary>Bound of each direction, in bytes.</summary>
    internal const int Bound = 64 * 1024;

    private readonly Pipe _up = new(new PipeOptions(pauseWriterThreshold: Bound, resumeWriterThreshold: Bound / 2, useSynchronizationContext: false));
    private readonly Pipe _down = new(new PipeOptions(pauseWriterThreshold: Bound, resumeWriterThreshold: Bound / 2, useSynchronizationContext: false));
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WatchedReader _input;
    private long _consumed;
    private int _sides = 2;

    public MemoryChannel()
    {
        _input = new WatchedReader(_down.Reader, n => Interlocked.Add(ref _consumed, n), e => e, SideDone);
        Far = new FarEnd(this);
    }

    public FarEnd Far { get; }

    /// <summary>Bytes that the near end took from <see cref="Input"/>.</summary>
    public long Consumed => Interlocked.Read(ref _consumed);

    public override PipeReader Input => _input;

    public override PipeWriter Output => _up.Writer;

    public override Task<Exception?> Ended => _ended.Task;

    public override void Abort(Exception reason)
    {
        if (_ended.TrySetResult(reason))
        {
            _up.Reader.CancelPendingRead();
            _up.Writer.CancelPendingFlush();
            _down.Writer.Complete(reason);
        }
    }

    public override ValueTask DisposeAsync()
    {
        Abort(new OperationCanceledException("disposed"));
        return ValueTask.CompletedTask;
    }

    private void SideDone()
    {
        if (Interlocked.Decrement(ref _sides) == 0)
            _ended.TrySetResult(null);
    }

    /// <summary>The other end of the same channel.</summary>
    internal sealed class FarEnd(MemoryChannel channel)
    {
        public PipeReader Input => channel._up.Reader;

        public PipeWriter Output => channel._down.Writer;

        /// <summary>Reads to the end of what the near end says.</summary>
        public async Task<byte[]> ReadToEndAsync()
        {
            using var all = new MemoryStream();
            await Input.CopyToAsync(all);
            Read();
            return all.ToArray();
        }

        /// <summary>Says that the near end's half-close was seen.</summary>
        public void Read() => channel.SideDone();

        public void Fail(Exception reason) => channel.Abort(reason);
    }
}
