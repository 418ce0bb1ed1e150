using System.Globalization;

namespace Fumidai.Lab;

/// <summary>How fast the lab's agents send. The official one reads at most 1,024 bytes, sends one message and sleeps a millisecond (protocol §9.1).</summary>
/// <param name="MessagesPerSecond">0: as fast as they can.</param>
public sealed record AgentPace(int MessagesPerSecond)
{
    /// <summary>No sleep.</summary>
    public static readonly AgentPace Open = new(0);

    /// <summary>The official agent's pace as measured on loopback, 0.64 to 0.71 MB/s: a sleep of a millisecond lasts longer, and the rest takes time too.</summary>
    public static readonly AgentPace Stock = new(680);

    /// <summary>Reads <c>open</c>, <c>stock</c> or <c>stock,rate=900</c>. Null: not understood.</summary>
    public static AgentPace? Parse(string text) => text.Split(',') switch
    {
        ["open"] => Open,
        ["stock"] => Stock,
        ["stock", var rate] when rate.StartsWith("rate=", StringComparison.Ordinal)
            && int.TryParse(rate["rate=".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 => new(n),
        _ => null,
    };
}
