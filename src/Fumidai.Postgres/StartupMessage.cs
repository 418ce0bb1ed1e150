using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>
/// The start-up message: a protocol version and parameters (<c>user</c>, <c>database</c>, <c>replication</c>, <c>_pq_.…</c>). Values are
/// bytes in an encoding not yet agreed, so what is not changed passes byte for byte.
/// </summary>
/// <remarks>Source: PostgreSQL documentation, "Message Formats", StartupMessage; limits as in the server's own sources (10,000 bytes).</remarks>
public sealed class StartupMessage
{
    /// <summary>Largest start-up packet a server accepts, in bytes, its length included.</summary>
    public const int MaxLength = 10_000;

    private readonly List<(string Name, byte[] Value)> _parameters;

    private StartupMessage(int version, List<(string, byte[])> parameters) => (Version, _parameters) = (version, parameters);

    /// <summary>Major version in the upper 16 bits, minor in the lower.</summary>
    public int Version { get; }

    /// <summary>Major version; 3 for every server of this century.</summary>
    public int Major => Version >> 16;

    /// <summary>Minor version as asked for; the server may negotiate it down.</summary>
    public int Minor => Version & 0xFFFF;

    /// <summary>Names in the order in which they were sent.</summary>
    public IEnumerable<string> Names => _parameters.Select(p => p.Name);

    /// <summary>A parameter's value read as UTF-8; null: not sent.</summary>
    public string? this[string name] => _parameters.Find(p => p.Name == name).Value is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <summary>Makes one.</summary>
    public static StartupMessage Of(int version, params ReadOnlySpan<(string Name, string Value)> parameters)
    {
        var list = new List<(string, byte[])>(parameters.Length);
        foreach (var (name, value) in parameters)
            list.Add((name, Encoding.UTF8.GetBytes(value)));
        return new StartupMessage(version, list);
    }

    /// <summary>The same with one parameter set (in its place, or at the end).</summary>
    public StartupMessage With(string name, string value)
    {
        var parameters = new List<(string Name, byte[] Value)>(_parameters);
        var at = parameters.FindIndex(p => p.Name == name);
        if (at >= 0)
            parameters[at] = (name, Encoding.UTF8.GetBytes(value));
        else
            parameters.Add((name, Encoding.UTF8.GetBytes(value)));
        return new StartupMessage(Version, parameters);
    }

    /// <summary>The packet.</summary>
    public byte[] ToBytes()
    {
        var length = 9 + _parameters.Sum(p => Encoding.Latin1.GetByteCount(p.Name) + p.Value.Length + 2);
        var packet = new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(packet, length);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), Version);
        var at = 8;
        foreach (var (name, value) in _parameters)
        {
            at += Encoding.Latin1.GetBytes(name, packet.AsSpan(at)) + 1;
            value.CopyTo(packet, at);
            at += value.Length + 1;
        }
        return packet;
    }

    /// <summary>Reads what follows length and version.</summary>
    /// <exception cref="PostgresProtocolException">Not pairs of zero-terminated texts closed by a zero byte, or no user.</exception>
    internal static StartupMessage Read(int version, ReadOnlySpan<byte> body)
    {
        var parameters = new List<(string Name, byte[] Value)>();
        while (true)
        {
            var end = body.IndexOf((byte)0);
            if (end < 0)
                throw new PostgresProtocolException("a start-up packet without its last byte");
            if (end == 0)
                break;
            var name = Encoding.Latin1.GetString(body[..end]);
            body = body[(end + 1)..];
            end = body.IndexOf((byte)0);
            if (end < 0)
                throw new PostgresProtocolException("a start-up packet with an unfinished parameter");
            // Said twice, the server takes the last one; so do we, since what we checked must be what it reads.
            parameters.RemoveAll(p => p.Name == name);
            parameters.Add((name, body[..end].ToArray()));
            body = body[(end + 1)..];
        }
        if (body.Length != 1)
            throw new PostgresProtocolException("a start-up packet with bytes after its end");
        return parameters.Exists(p => p.Name == "user" && p.Value.Length > 0)
            ? new StartupMessage(version, parameters)
            : throw new PostgresProtocolException("a start-up packet without a user name");
    }

    /// <summary>Version and names; no values, which may be private.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor} ({string.Join(", ", Names)})");
}
