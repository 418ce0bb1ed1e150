using Fumidai.Aws;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

/// <summary>When AWS is asked for a cluster's writer, and what follows.</summary>
public sealed class WriterWatchTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<(string Was, string Now)> _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _times;
    private bool _isRefused;
    private bool _willChange;

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private WriterWatch Watch(TimeProvider? time = null) => new(
        "one",
        _ =>
        {
            var times = Interlocked.Increment(ref _times);
            return _isRefused ? throw new AwsFailure(AwsFailureKind.Permission, "rds:DescribeDBClusters", "AccessDenied", "no") : Task.FromResult<string?>(_willChange && times > 0 ? "two" : "one");
        },
        (was, now) => _changed.TrySetResult((was, now)), time ?? _time, _stop.Token);

    [Fact]
    public async Task Nobody_is_asked_while_the_news_is_fresh_and_once_when_it_is_stale()
    {
        var watch = Watch();
        await watch.FreshAsync(CancellationToken.None);
        watch.Ended(wasCut: false);
        Assert.Equal(0, _times);

        _time.Advance(WriterWatch.Stale);
        await watch.FreshAsync(CancellationToken.None);
        await watch.FreshAsync(CancellationToken.None);
        Assert.Equal(1, _times);
        Assert.False(_changed.Task.IsCompleted);
    }

    [Fact]
    public async Task After_a_cut_it_is_asked_again_until_the_service_tells_of_the_new_writer()
    {
        _willChange = true;
        _times = -3; // it tells the old one three times more
        var watch = Watch(new PassingPauses());
        watch.Ended(wasCut: true);
        Assert.Equal(("one", "two"), await _changed.Task.WaitAsync(Requests.Guard));
        Assert.Equal(1, _times);
    }

    [Fact]
    public async Task Who_may_not_ask_is_not_bothered_again()
    {
        _isRefused = true;
        var watch = Watch();
        _time.Advance(WriterWatch.Stale);
        await watch.FreshAsync(CancellationToken.None);
        _time.Advance(WriterWatch.Stale);
        await watch.FreshAsync(CancellationToken.None);
        watch.Ended(wasCut: true);
        Assert.Equal(1, _times);
    }

    /// <summary>Pauses pass at once.</summary>
    private sealed class PassingPauses : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            ThreadPool.QueueUserWorkItem(_ => Advance(dueTime));
            return timer;
        }
    }
}
