using System.IO.Pipelines;
using Fumidai.SessionManager;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

/// <summary>The ssm route's sessions, over port sessions that the tests play.</summary>
public sealed class SsmRouteTests : IDisposable
{
    private static readonly HostPort Destination = new("db.internal", 5432);

    private readonly PausedTime _time = new();
    private readonly Requests.Heard _heard = new();
    private readonly List<PlayedSession> _sessions = [];
    private readonly Queue<Exception> _failures = new();
    private readonly SemaphoreSlim _starts = new(0);

    public void Dispose() => _starts.Dispose();

    private SsmRoute Route(int sessions = 1, SessionLife? life = null) => new(Requests.To(Destination, _heard, time: _time), "i-0abc", (_, _) =>
    {
        _starts.Release();
        if (_failures.TryDequeue(out var failure))
            return Task.FromException<IPortSession>(failure);
        var session = new PlayedSession($"me-{_sessions.Count}");
        _sessions.Add(session);
        return Task.FromResult<IPortSession>(session);
    }, sessions, life);

    private static async Task<RouteChannel> OpenAsync(IRoute route, HostPort? destination = null) =>
        await route.OpenAsync(destination ?? Destination, CancellationToken.None);

    private async Task<TunnelEvent> HeardAsync(string kind) => await _heard.FirstAsync(kind);

    [Fact]
    public async Task Channels_to_one_destination_share_a_session_and_each_destination_has_its_own()
    {
        await using var route = Route();
        for (var i = 0; i < 3; i++)
            await OpenAsync(route);
        await OpenAsync(route, new HostPort("other", 5432));
        Assert.Equal([3, 1], _sessions.Select(s => s.Streams.Count));
    }

    [Fact]
    public async Task Connections_are_spread_over_as_many_sessions_as_allowed()
    {
        await using var route = Route(sessions: 3);
        for (var i = 0; i < 8; i++)
            await OpenAsync(route);
        Assert.Equal([2, 3, 3], _sessions.Select(s => s.Streams.Count).Order());
    }

    [Fact]
    public async Task Connections_that_come_at_once_are_spread_as_if_they_came_one_after_the_other()
    {
        var begin = new TaskCompletionSource();
        await using var route = new SsmRoute(Requests.To(Destination, _heard, time: _time), "i-0abc", async (_, _) =>
        {
            if (_sessions.Count > 0)
                await begin.Task;
            lock (_sessions)
            {
                _sessions.Add(new PlayedSession($"me-{_sessions.Count}"));
                return _sessions[^1];
            }
        }, 4);
        await OpenAsync(route);
        var opening = Enumerable.Range(0, 7).Select(_ => Task.Run(() => OpenAsync(route))).ToArray();
        begin.SetResult();
        await Task.WhenAll(opening).WaitAsync(Requests.Guard);
        Assert.Equal([2, 2, 2, 2], _sessions.Select(s => s.Streams.Count));
    }

    [Fact]
    public async Task A_connection_goes_to_the_session_with_the_fewest()
    {
        await using var route = Route(sessions: 2);
        for (var i = 0; i < 4; i++)
            await OpenAsync(route);
        var (less, more) = (_sessions[0], _sessions[1]);
        var before = less.Streams.Count;
        var gone = await OpenAsync(route);
        foreach (var stream in less.Streams.ToArray())
            stream.Finish(null);
        await gone.DisposeAsync();
        await OpenAsync(route);
        Assert.Equal(2, _sessions.Count);
        Assert.True(less.Streams.Count > before);
        Assert.NotEmpty(more.Streams);
    }

    [Fact]
    public async Task When_no_further_session_is_given_those_there_are_do_and_the_service_is_asked_again_later()
    {
        await using var route = Route(sessions: 4);
        await OpenAsync(route);
        for (var i = 0; i < 2; i++)
            _failures.Enqueue(new FumidaiException(Reason.NoRoute, "cannot start a session", "throttled", retry: true));
        await OpenAsync(route);
        Assert.Single(_failures); // asked once
        var third = OpenAsync(route);
        Assert.False(third.IsCompleted); // throttled, most likely: that passes
        _time.Advance(SessionPool.FirstRest);
        await third.WaitAsync(Requests.Guard);
        Assert.Empty(_failures); // asked again, refused again: not a throttle
        for (var i = 0; i < 3; i++)
            await OpenAsync(route);
        Assert.Single(_sessions);
        _time.Advance(SessionPool.FirstRest * 2);
        await OpenAsync(route);
        Assert.Equal(2, _sessions.Count);
        Assert.False(route.Ended.IsCompleted);
    }

    [Fact]
    public async Task A_session_whose_dial_seems_to_hang_is_left_alone_as_soon_as_another_is_there()
    {
        await using var route = Route(sessions: 4);
        await OpenAsync(route);
        _time.Advance(SsmRoute.SuspectLimit + TimeSpan.FromMilliseconds(1));
        await OpenAsync(route);
        Assert.Equal([1, 1], _sessions.Select(s => s.Streams.Count));
    }

    [Fact]
    public async Task Before_the_account_s_maximum_a_fresh_session_takes_over_new_connections_and_the_old_ones_go_on()
    {
        await using var route = Route(life: new SessionLife(null, TimeSpan.FromMinutes(60)));
        var channel = await OpenAsync(route);
        await _sessions[0].Streams[0].Far.WriteAsync(new byte[1]); // it is sound, however long it will be silent
        var read = await channel.Input.ReadAsync(CancellationToken.None);
        channel.Input.AdvanceTo(read.Buffer.End);
        _time.Advance(TimeSpan.FromMinutes(54.9));
        Assert.Single(_sessions);
        _failures.Enqueue(new FumidaiException(Reason.NoRoute, "cannot start a session", "throttled", retry: true));
        _time.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Contains("ends soon, and no other can be opened yet", (await HeardAsync("degraded")).Text, StringComparison.Ordinal);
        _time.Advance(SsmRoute.RenewalPause);
        Assert.Contains("at the account's maximum of 60; new connections have a fresh one, 1 goes on until then", (await HeardAsync("session_ending")).Text, StringComparison.Ordinal);
        await OpenAsync(route);
        Assert.Equal([1, 1], _sessions.Select(s => s.Streams.Count));
        Assert.False(channel.Ended.IsCompleted);
        Assert.False(_sessions[0].IsDisposed);
        _sessions[0].Streams[0].Finish(null);
        await _sessions[0].Disposed.WaitAsync(Requests.Guard);
        Assert.False(_sessions[1].IsDisposed);
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(5, null, "Sessions end after 5 silent minutes, by the account's preferences")]
    [InlineData(null, 60, "Sessions end 60 minutes after their start in any case, by the account's preferences")]
    [InlineData(5, 60, "Sessions end after 5 silent minutes and 60 minutes after their start in any case, by the account's preferences")]
    public void The_account_s_preferences_are_shown_where_there_are_any(int? idle, int? longest, string? text) =>
        Assert.Equal(text, new SessionLife(idle is { } i ? TimeSpan.FromMinutes(i) : null, longest is { } l ? TimeSpan.FromMinutes(l) : null).Text);

    [Fact]
    public async Task Closing_ends_every_session_also_those_out_of_use()
    {
        var route = Route();
        await OpenAsync(route);
        _time.Advance(SsmRoute.DialLimit);
        await HeardAsync("degraded");
        await OpenAsync(route);
        await route.DisposeAsync();
        Assert.Equal([true, true], _sessions.Select(s => s.IsDisposed));
        Assert.Null(await route.Ended);
    }

    [Fact]
    public async Task A_dial_that_hangs_gets_new_channels_a_fresh_session_while_the_old_ones_go_on()
    {
        await using var route = Route();
        var answered = (PlayedStream)null!;
        var channel = await OpenAsync(route);
        answered = _sessions[0].Streams[0];
        await answered.Far.WriteAsync(new byte[1]);
        var read = await channel.Input.ReadAsync(CancellationToken.None);
        channel.Input.AdvanceTo(read.Buffer.End);
        _time.Advance(SsmRoute.DialLimit);
        await OpenAsync(route);
        Assert.Single(_sessions); // an answer was heard: that session is sound

        _time.Advance(SsmRoute.DialLimit);
        Assert.Contains("has not answered for 20 s", (await HeardAsync("degraded")).Text, StringComparison.Ordinal);
        await OpenAsync(route);
        Assert.Equal(2, _sessions.Count);
        Assert.False(_sessions[0].IsDisposed);
        Assert.False(channel.Ended.IsCompleted);

        // Its last channel's end is the old session's.
        foreach (var stream in _sessions[0].Streams)
            stream.Finish(null);
        await _sessions[0].Disposed.WaitAsync(Requests.Guard);
        Assert.False(_sessions[1].IsDisposed);
    }

    [Fact]
    public async Task A_refused_far_end_is_the_channel_s_end_and_not_the_session_s()
    {
        await using var route = Route();
        var channel = await OpenAsync(route);
        _sessions[0].Streams[0].Finish(new ConnectToPortException());
        var reason = Assert.IsType<FumidaiException>(await channel.Ended.WaitAsync(Requests.Guard));
        Assert.Equal(Reason.NoRoute, reason.Reason);
        Assert.Contains("i-0abc could not connect to db.internal:5432", reason.Message, StringComparison.Ordinal);
        await OpenAsync(route);
        Assert.Single(_sessions);
    }

    [Fact]
    public async Task A_session_that_was_lost_is_replaced_at_once_and_both_are_told()
    {
        await using var route = Route();
        var channel = await OpenAsync(route);
        _sessions[0].End(new SessionEnd(SessionEndKind.Lost, "resuming was given up"));
        Assert.Contains("resuming was given up", (await HeardAsync("degraded")).Text, StringComparison.Ordinal);
        await HeardAsync("reconnected");
        Assert.IsType<FumidaiException>(await channel.Ended.WaitAsync(Requests.Guard));
        await OpenAsync(route);
        Assert.Equal([1, 1], _sessions.Select(s => s.Streams.Count));
        await _sessions[0].Disposed.WaitAsync(Requests.Guard);
    }

    [Fact]
    public async Task A_session_closed_while_idle_is_opened_again_only_when_needed()
    {
        await using var route = Route();
        var channel = await OpenAsync(route);
        _sessions[0].Streams[0].Finish(null);
        await channel.Ended.WaitAsync(Requests.Guard);
        _time.Advance(TimeSpan.FromMinutes(1));
        _sessions[0].End(new SessionEnd(SessionEndKind.Closed, "idle timeout"));
        await _sessions[0].Disposed.WaitAsync(Requests.Guard);
        Assert.Single(_sessions);
        await OpenAsync(route);
        Assert.Equal(2, _sessions.Count);
    }

    [Fact]
    public async Task A_session_that_nobody_uses_is_ended()
    {
        await using var route = Route();
        var channel = await OpenAsync(route);
        _time.Advance(SsmRoute.IdleLimit * 2);
        Assert.False(_sessions[0].IsDisposed && _sessions.Count == 1 && !channel.Ended.IsCompleted);
        _sessions[0].Streams[0].Finish(null);
        await channel.Ended.WaitAsync(Requests.Guard);
        _time.Advance(SsmRoute.IdleLimit);
        await _sessions[0].Disposed.WaitAsync(Requests.Guard);
        Assert.False(route.Ended.IsCompleted);
    }

    [Fact]
    public async Task When_no_session_can_be_had_any_more_the_route_ends_with_the_reason()
    {
        await using var route = Route();
        await OpenAsync(route);
        _failures.Enqueue(new FumidaiException(Reason.NoRoute, "cannot start a session", "throttled", retry: true));
        _failures.Enqueue(new FumidaiException(Reason.AwsAccess, "cannot start a session", "AccessDeniedException"));
        _sessions[0].End(new SessionEnd(SessionEndKind.Lost, ""));
        Assert.True(await _starts.WaitAsync(Requests.Guard)); // the first session
        Assert.True(await _starts.WaitAsync(Requests.Guard)); // throttled: pauses, then tries again
        await _time.SecondAwaited.WaitAsync(Requests.Guard);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("AccessDeniedException", (await route.Ended.WaitAsync(Requests.Guard))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_socket_and_its_resumption_are_told()
    {
        await using var route = Route();
        await OpenAsync(route);
        _sessions[0].Change(SessionHealth.Resuming);
        Assert.Contains("resuming", (await HeardAsync("degraded")).Text, StringComparison.Ordinal);
        _sessions[0].Change(SessionHealth.Up);
        await HeardAsync("reconnected");
        Assert.Single(_sessions);
    }

    [Theory]
    [InlineData("lookup db.internal on 10.0.0.2:53: no such host", "does not resolve inside the VPC")]
    [InlineData("Fetching data key failed: Unable to retrieve data key, KMS", "kms:GenerateDataKey")]
    [InlineData("Forwarding to IP address 169.254.169.254 is forbidden.", "never forwards")]
    public void What_the_agent_says_is_kept_and_explained(string words, string advice)
    {
        var e = StartPortSession.Explain(new SessionEndedException(new SessionEnd(SessionEndKind.Closed, words)), "cannot start a session");
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains(words.TrimEnd('.'), e.Message, StringComparison.Ordinal);
        Assert.Contains(advice, e.Message, StringComparison.Ordinal);
    }

    /// <summary>Tells when somebody begins to wait for a second.</summary>
    private sealed class PausedTime : FakeTimeProvider
    {
        private readonly TaskCompletionSource _awaited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task SecondAwaited => _awaited.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == TimeSpan.FromSeconds(1))
                _awaited.TrySetResult();
            return timer;
        }
    }

    private sealed class PlayedSession(string id) : IPortSession
    {
        private readonly TaskCompletionSource<SessionEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _change = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<PlayedStream> Streams { get; } = [];

        public bool IsDisposed => _disposed.Task.IsCompleted;

        public Task Disposed => _disposed.Task;

        public string SessionId => id;

        public SessionHealth Health { get; private set; }

        public Task<SessionEnd> Ended => _ended.Task;

        public Task NextHealthChange() => _change.Task;

        public void Change(SessionHealth health)
        {
            Health = health;
            Interlocked.Exchange(ref _change, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        }

        public void End(SessionEnd end)
        {
            _ended.TrySetResult(end);
            foreach (var stream in Streams)
                stream.Finish(new SessionEndedException(end));
            Change(SessionHealth.Ended);
        }

        public ValueTask<PortStream> OpenStreamAsync(CancellationToken cancellationToken)
        {
            if (_ended.Task.IsCompleted)
                throw new SessionEndedException(_ended.Task.Result);
            var stream = new PlayedStream();
            Streams.Add(stream);
            return new(stream);
        }

        public ValueTask DisposeAsync()
        {
            _disposed.TrySetResult();
            End(new SessionEnd(SessionEndKind.Local, ""));
            return ValueTask.CompletedTask;
        }
    }

    private sealed class PlayedStream : PortStream
    {
        private readonly Pipe _up = new();
        private readonly Pipe _down = new();
        private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PipeWriter Far => _down.Writer;

        public override PipeReader Input => _down.Reader;

        public override PipeWriter Output => _up.Writer;

        public override Task<Exception?> Ended => _ended.Task;

        public void Finish(Exception? reason)
        {
            if (_ended.TrySetResult(reason))
                _down.Writer.Complete(reason);
        }

        public override void Abort(Exception reason) => Finish(reason);

        public override ValueTask DisposeAsync()
        {
            Finish(null);
            return ValueTask.CompletedTask;
        }
    }
}
