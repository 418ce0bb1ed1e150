using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>One session of an <see cref="SsmRoute"/> with what the route needs to know of it: its channels, and why it goes out of use.</summary>
internal sealed class SsmSession : IAsyncDisposable
{
    internal enum Retirement
    {
        /// <summary>The session has ended.</summary>
        Over,
        /// <summary>A dial gives no answer; dials behind it would wait.</summary>
        DialHangs,
        /// <summary>Nobody has used it for long.</summary>
        Idle,
        /// <summary>It is about to reach the age that ends it, and another has taken its place.</summary>
        Superseded,
    }

    private readonly IPortSession _session;
    private readonly string _bastion;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<Retirement> _retired = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _idle;
    private readonly Dictionary<long, long> _unanswered = [];
    private long _opened;
    private int _channels;
    private long _lastLeft;
    private bool _isRetired;

    internal SsmSession(IPortSession session, HostPort destination, string bastion, TimeProvider time)
    {
        _session = session;
        _bastion = bastion;
        _time = time;
        _lastLeft = time.GetTimestamp();
        Destination = destination;
        _idle = time.CreateTimer(static state => ((SsmSession)state!).RetireIfIdle(), this, SsmRoute.IdleLimit, Timeout.InfiniteTimeSpan);
        _ = EndAsync();
    }

    internal string Id => _session.SessionId;

    internal HostPort Destination { get; }

    internal SessionHealth Health => _session.Health;

    internal Task<SessionEnd> Ended => _session.Ended;

    /// <summary>Completes once, with the first reason not to use it for new channels.</summary>
    internal Task<Retirement> Retired => _retired.Task;

    /// <summary>Completes when it is retired and its last channel has ended.</summary>
    internal Task Unused => _unused.Task;

    /// <summary>Whether nobody has used it for some time. A session's end ends its channels too, so those do not count as idleness.</summary>
    internal bool WasIdle
    {
        get
        {
            lock (_lock)
                return _channels == 0 && _time.GetElapsedTime(_lastLeft) > TimeSpan.FromSeconds(10);
        }
    }

    /// <summary>Connections it carries, those promised to it included.</summary>
    internal int Load
    {
        get
        {
            lock (_lock)
                return _channels;
        }
    }

    /// <summary>A connection has waited for its first byte for longer than a sound one does: those opened after it may wait behind its dial.</summary>
    internal bool IsSuspect
    {
        get
        {
            lock (_lock)
            {
                foreach (var since in _unanswered.Values)
                    if (_time.GetElapsedTime(since) > SsmRoute.SuspectLimit)
                        return true;
                return false;
            }
        }
    }

    internal Task NextHealthChange() => _session.NextHealthChange();

    /// <summary>Counts a connection that <see cref="OpenAsync"/> is about to open, so that those who choose at the same moment see it.</summary>
    internal void Promise()
    {
        lock (_lock)
        {
            _channels++;
            _idle.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Opens the connection that was promised.</summary>
    /// <exception cref="SessionEndedException">It is over.</exception>
    internal async ValueTask<RouteChannel> OpenAsync(CancellationToken cancellationToken)
    {
        long number;
        lock (_lock)
        {
            number = _opened++;
            _unanswered.Add(number, _time.GetTimestamp());
        }
        try
        {
            var stream = await _session.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
            var channel = new SsmChannel(stream, Destination, _bastion, () => Retire(Retirement.DialHangs), () => Answered(number), _time);
            _ = CountAsync(channel, number);
            return channel;
        }
        catch
        {
            Answered(number);
            Left();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _idle.DisposeAsync().ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
    }

    private void Answered(long number)
    {
        lock (_lock)
            _unanswered.Remove(number);
    }

    private async Task CountAsync(SsmChannel channel, long number)
    {
        await channel.Ended.ConfigureAwait(false);
        Answered(number);
        Left();
    }

    private void Left()
    {
        lock (_lock)
        {
            _lastLeft = _time.GetTimestamp();
            if (--_channels > 0)
                return;
            if (_isRetired)
                _unused.TrySetResult();
            else
                _idle.Change(SsmRoute.IdleLimit, Timeout.InfiniteTimeSpan);
        }
    }

    private void RetireIfIdle()
    {
        lock (_lock)
        {
            if (_channels > 0)
                return;
        }
        Retire(Retirement.Idle);
    }

    /// <summary>Takes it out of use for new connections.</summary>
    internal void Retire(Retirement why)
    {
        lock (_lock)
        {
            _isRetired = true;
            if (_channels == 0)
                _unused.TrySetResult();
        }
        _retired.TrySetResult(why);
    }

    private async Task EndAsync()
    {
        await _session.Ended.ConfigureAwait(false);
        Retire(Retirement.Over);
    }
}
