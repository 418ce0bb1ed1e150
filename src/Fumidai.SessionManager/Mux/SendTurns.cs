using System.Diagnostics.CodeAnalysis;

namespace Fumidai.SessionManager;

/// <summary>Whose turn it is to send: first come, first served, each stream once in the list.</summary>
internal sealed class SendTurns
{
    private readonly Lock _sync = new();
    private readonly Queue<MuxStream> _waiting = new();
    private readonly AsyncSignal _some = new() { IsInline = true };
    private bool _keepAlive;
    private volatile bool _ended;

    /// <summary>No more turns are to be taken.</summary>
    public bool HaveEnded => _ended;

    /// <summary>Whether there is anything to send.</summary>
    public bool HasSome { get { lock (_sync) return _waiting.Count > 0 || _keepAlive; } }

    /// <summary>Puts a stream at the end of the list, if it does not stand there.</summary>
    /// <param name="stream">Who has something to send.</param>
    /// <param name="lendsThread">A sending loop that waits goes on within the call: a lone message leaves on its writer's own thread.</param>
    public void Add(MuxStream stream, bool lendsThread)
    {
        lock (_sync)
        {
            if (stream.IsScheduled) return;
            stream.IsScheduled = true;
            _waiting.Enqueue(stream);
            if (_waiting.Count > 1) return;
        }
        if (lendsThread) _some.Set();
        else _some.SetElsewhere();
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
        _some.SetElsewhere();
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
        _some.SetElsewhere();
    }

    /// <summary>Waits for something to send. May come back for nothing.</summary>
    public ValueTask WhenSomeAsync() => _some.WaitAsync();
}
