namespace Fumidai.SessionManager;

internal abstract partial class PipedStream
{
    /// <summary>
    /// Holds our end back after a local half-close. smux has one FIN for both directions and the agent closes the whole target
    /// connection on it, so an early one would cut the reply's tail off. It goes out on the peer's FIN, or when nothing has come for
    /// <see cref="Limit"/> (protocol §5.4). Bytes that our own reader has not taken yet are no silence of the peer.
    /// </summary>
    private sealed class HeldClose(PipedStream stream, TimeSpan limit, TimeProvider time)
    {
        private ITimer? _timer;
        private long _lastSign;
        private bool _stopped;

        public TimeSpan Limit { get; } = limit;

        public void Start()
        {
            if (Limit == TimeSpan.Zero || Limit == Timeout.InfiniteTimeSpan) return;
            lock (stream._sync)
            {
                if (_stopped || stream._closing || _timer is not null) return;
                _lastSign = time.GetTimestamp();
                _timer = time.CreateTimer(static self => ((HeldClose)self!).Look(), this, Limit, Timeout.InfiniteTimeSpan);
            }
        }

        public void Touch()
        {
            if (_timer is not null) Volatile.Write(ref _lastSign, time.GetTimestamp());
        }

        public void Stop()
        {
            ITimer? timer;
            lock (stream._sync)
            {
                _stopped = true;
                (timer, _timer) = (_timer, null);
            }
            timer?.Dispose();
        }

        private void Look()
        {
            lock (stream._sync)
            {
                if (_stopped || stream._closing || _timer is null) return;
                var waiting = stream._unread > 0 || stream._budget.Left <= 0;
                var left = waiting ? Limit : Limit - time.GetElapsedTime(Volatile.Read(ref _lastSign));
                if (left > TimeSpan.Zero)
                {
                    _timer.Change(left, Timeout.InfiniteTimeSpan);
                    return;
                }
            }
            stream.CloseAfterSilence();
        }
    }
}
