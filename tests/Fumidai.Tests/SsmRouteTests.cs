using System.IO.Pipelines;
using Fumidai.SessionManager;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

/// <summary>The ssm route's sessions, over port sessions that the tests play.</summary>
public sealed class SsmRouteTests : IDisposable
{
    private static readonly HostPort Destination = new("db.internal", 5432);

    private readonly FakeTimeProvider _time = new();
    private readonly Requests.Heard _heard = new();
    private readonly List<PlayedSession> _sessions = [];
    private readonly Queue<Exception> _failures = new();
    private readonly SemaphoreSlim _starts = new(0);

    public void Dispose() => _starts.Dispose();

    private SsmRoute Route(int sessions = 1) => new(Requests.To(Destination, _heard, time: _time), "i-0abc", (_, _) =>
    {
        _starts.Release();
        if (_failures.TryDequeue(out var failure))
            return Task.FromException<IPortSession>(failure);
        var session = new PlayedSession($"me-{_sessions.Count}");
        _sessions.Add(session);
        return Task.FromResult<IPortSession>(session);
    }, sessions);

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
        for (var i = 0; i < 3; i++)
            _failures.Enqueue(new FumidaiException(Reason.NoRoute, "cannot start a session", "throttled", retry: true));
        for (var i = 0; i < 6; i++)
            await OpenAsync(route);
        Assert.Single(_sessions);
        Assert.Equal(2, _failures.Count); // asked once, then left alone
        _failures.Clear();
        _time.Advance(SessionPool.FirstRest);
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
        while (!route.Ended.IsCompleted)
        {
            // Slowly, for it is given up three seconds after its beginning.
            for (var i = 0; i < 50; i++)
                await Task.Yield();
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
        Assert.Contains("AccessDeniedException", (await route.Ended)!.Message, StringComparison.Ordinal);
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
