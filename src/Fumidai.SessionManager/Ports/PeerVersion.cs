using System.Globalization;

namespace Fumidai.SessionManager;

/// <summary>The other program's version: numbers between dots, compared number by number; on a common beginning the longer is the greater (protocol §4.2).</summary>
internal sealed class PeerVersion : IComparable<PeerVersion>
{
    /// <summary>An agent must be newer than this to multiplex (protocol §5.1).</summary>
    public static readonly PeerVersion LastBasicAgent = Parse("3.0.196.0");
    /// <summary>An agent must be newer than this to leave smux keep-alive off.</summary>
    public static readonly PeerVersion LastKeepAliveAgent = Parse("3.1.1511.0");
    /// <summary>An agent must be newer than this to know Flag TerminateSession.</summary>
    public static readonly PeerVersion LastAgentWithoutTerminateFlag = Parse("2.3.722.0");
    /// <summary>The first plugin that multiplexes.</summary>
    public static readonly PeerVersion FirstMultiplexingClient = Parse("1.1.70");
    /// <summary>A plugin must be newer than this to leave smux keep-alive off.</summary>
    public static readonly PeerVersion LastKeepAliveClient = Parse("1.2.331.0");

    private readonly int[] _numbers;

    private PeerVersion(int[] numbers) => _numbers = numbers;

    /// <summary>Reads a version; null when it is none.</summary>
    public static PeerVersion? TryParse(string text)
    {
        var parts = text.Trim().Split('.');
        var numbers = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i])) return null;
        return new PeerVersion(numbers);
    }

    private static PeerVersion Parse(string text) => TryParse(text) ?? throw new FormatException(text);

    /// <summary>Whether an agent's announcement is newer than one of the four-number limits. The official client demands the same count of numbers, so an odd text counts as old.</summary>
    public static bool IsAgentNewerThan(string announced, PeerVersion limit)
        => TryParse(announced) is { } version && version._numbers.Length == limit._numbers.Length && version.CompareTo(limit) > 0;

    /// <inheritdoc/>
    public int CompareTo(PeerVersion? other)
    {
        if (other is null) return 1;
        for (var i = 0; i < Math.Min(_numbers.Length, other._numbers.Length); i++)
            if (_numbers[i] != other._numbers[i]) return _numbers[i].CompareTo(other._numbers[i]);
        return _numbers.Length.CompareTo(other._numbers.Length);
    }
}
