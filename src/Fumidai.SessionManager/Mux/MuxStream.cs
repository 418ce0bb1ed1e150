namespace Fumidai.SessionManager;

/// <summary>One smux stream. The session's two loops move its bytes; see <see cref="PipedStream"/>.</summary>
internal sealed class MuxStream(MuxSession session, uint id, ReceiveBudget budget, TimeSpan holdLimit, TimeProvider time)
    : PipedStream(budget, holdLimit, time)
{
    /// <summary>Its number on the wire: 3, 5, 7 … for those a client opens.</summary>
    public uint Id { get; } = id;

    /// <summary>Whether our SYN is still to be sent. The sending loop's own.</summary>
    public bool OwesSyn { get; set; }

    /// <summary>Whether it stands on the sending loop's list. Under that list's lock.</summary>
    public bool IsScheduled { get; set; }

    protected override void Schedule(bool lendsThread) => session.Schedule(this, lendsThread);
}
