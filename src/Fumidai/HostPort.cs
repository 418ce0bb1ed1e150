using System.Globalization;

namespace Fumidai;

/// <summary>A host name or address and a TCP port inside the VPC. The name is resolved at the far end, never here.</summary>
/// <param name="Host">DNS name or IP literal, without brackets.</param>
/// <param name="Port">TCP port, 1 to 65535.</param>
public readonly record struct HostPort(string Host, int Port)
{
    /// <summary>The usual text form; IPv6 literals are bracketed.</summary>
    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
