using System.Diagnostics.CodeAnalysis;

namespace Fumidai.SessionManager;

/// <summary>Whose turn it is to send: first come, first served, each stream once in the list.</summary>
internal sealed class SendTurns
{
    private readonly Lock _sync = new();
    private readonly Queue<MuxStream> _waiting = new();
    private readonly AsyncSignal _some = new();
    private bool _keepAlive;
    private volatile bool _ended;

    /// <summary>No more turns are to be taken.</summary>
    public bool HaveEnded => _ended;

    /// <summary>Whether there is anything to send.</summary>
    public bool HasSome { get { lock (_sync) return _waiting.Count > 0 || _keepAlive; } }

    /// <summary>Puts a stream at the end of the list, if it does not stand there.</summary>
    public void Add(MuxStream stream)
    {
        lock (_sync)
        {
            if (stream.IsScheduled) return;
            stream.IsScheduled = true;
            _waiting.Enqueue(stream);
            if (_waiting.Count > 1) return;
        }
        _some.Set();
    }

    /// <summary>Takes the first of the list.</summary>
    public bool TryTake([NotNullWhen(true)] out MuxStream? stream)
    {
        lock (_sync)
        {
            if (!_waiting.TryDequeue(out stream)) return false;
            stream.IsScheduled = false;
            return true;
        }
    }

    /// <summary>A NOP is wanted.</summary>
    public void AskForKeepAlive()
    {
        lock (_sync) _keepAlive = true;
        _some.Set();
    }

    /// <summary>Whether a NOP is wanted; asked once.</summary>
    public bool TryTakeKeepAlive()
    {
        lock (_sync)
        {
            var wanted = _keepAlive;
            _keepAlive = false;
            return wanted;
        }
    }

    /// <summary>Lets the sending loop go.</summary>
    public void End()
    {
        _ended = true;
        _some.Set();
    }

    /// <summary>Waits for something to send. May come back for nothing.</summary>
    public ValueTask WhenSomeAsync() => _some.WaitAsync();
}
