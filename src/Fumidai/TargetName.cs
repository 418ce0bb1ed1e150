namespace Fumidai;

/// <summary>What a TARGET names when it is not an entry of fumidai.yaml.</summary>
internal abstract record TargetName
{
    /// <summary><c>cluster/ID</c>.</summary>
    internal sealed record Cluster(string Id) : TargetName;

    /// <summary><c>instance/ID</c>.</summary>
    internal sealed record Instance(string Id) : TargetName;

    /// <summary><c>host/NAME:PORT</c>.</summary>
    internal sealed record Host(HostPort Address) : TargetName;

    /// <exception cref="FormatException">Not one of the three forms; the text says what is.</exception>
    internal static TargetName Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var rest = slash < 0 ? "" : text[(slash + 1)..];
        return (slash < 0 ? "" : text[..slash]) switch
        {
            "cluster" => new Cluster(ReadId(rest, text)),
            "instance" => new Instance(ReadId(rest, text)),
            "host" => new Host(ReadAddress(rest, text)),
            _ => throw new FormatException($"“{text}” is not a target: cluster/ID, instance/ID or host/NAME:PORT"),
        };
    }

    // RDS identifiers: letters, digits and hyphens, at most 63; they are stored in lower case and compared without case.
    private static string ReadId(string id, string text) =>
        id.Length is > 0 and <= 63 && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && char.IsAsciiLetter(id[0])
            ? id.ToLowerInvariant()
            : throw new FormatException($"“{text}” has no valid identifier after the slash (letters, digits and hyphens, a letter first)");

    private static HostPort ReadAddress(string address, string text)
    {
        var colon = address.LastIndexOf(':');
        var name = colon < 0 ? "" : address[..colon];
        if (name.StartsWith('[') && name.EndsWith(']'))
            name = name[1..^1];
        else if (name.Contains(':', StringComparison.Ordinal))
            name = "";
        if (name.Length is 0 or > 253 || name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '/' or '@'))
            throw new FormatException($"“{text}” is not host/NAME:PORT (an IPv6 address goes in brackets)");
        return new HostPort(name, SettingsValue.Port(address[(colon + 1)..], least: 1));
    }
}
