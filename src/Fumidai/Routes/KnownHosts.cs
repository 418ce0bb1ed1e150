using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Fumidai;

/// <summary>A host key as a file knows it.</summary>
internal sealed record KnownKey(string Type, byte[] Blob, string File, int Line, bool IsRevoked);

/// <summary>
/// Host keys we trust: the user's own <c>known_hosts</c>, by address, and our file, by instance id, because a public address changes with every
/// stop and start. Both are in OpenSSH's format; ours works with <c>ssh -o HostKeyAlias=i-… -o UserKnownHostsFile=…</c>.
/// </summary>
/// <param name="userFile">The user's, read only; null: none.</param>
/// <param name="ownFile">Ours; null: nothing can be remembered.</param>
internal sealed class KnownHosts(string? userFile, string? ownFile)
{
    /// <summary>Where ours is.</summary>
    internal string? OwnFile => ownFile;

    internal static KnownHosts Of(Func<string, string?> environment) => new(
        UserFolders.Home(environment) is { } home ? Path.Combine(home, ".ssh", "known_hosts") : null,
        UserFolders.Config(environment) is { } config ? Path.Combine(config, "known_hosts") : null);

    /// <summary>What is known of the machine by its id.</summary>
    internal IReadOnlyList<KnownKey> ById(string instanceId) => Find(ownFile, instanceId);

    /// <summary>What the user's file knows of the address.</summary>
    internal IReadOnlyList<KnownKey> ByAddress(IPAddress address, int port) =>
        Find(userFile, port == 22 ? address.ToString() : $"[{address}]:{port.ToString(System.Globalization.CultureInfo.InvariantCulture)}");

    /// <summary>Remembers a key under the instance id. False: there is no place to.</summary>
    internal bool Learn(string instanceId, string type, byte[] blob)
    {
        if (ownFile is null)
            return false;
        var folder = Path.GetDirectoryName(ownFile)!;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new FileStream(ownFile, options);
        file.Write(Encoding.ASCII.GetBytes($"{instanceId} {type} {Convert.ToBase64String(blob)}\n"));
        return true;
    }

    /// <summary><c>SHA256:…</c> as ssh prints it.</summary>
    internal static string Fingerprint(byte[] blob) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(blob)).TrimEnd('=');

    private static List<KnownKey> Find(string? file, string host)
    {
        var found = new List<KnownKey>();
        if (file is null || !File.Exists(file))
            return found;
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (Read(line, host) is { } key)
                found.Add(new KnownKey(key.Type, key.Blob, file, number, key.IsRevoked));
        }
        return found;
    }

    /// <remarks>Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": [@marker] hosts type base64 [comment].</remarks>
    private static (string Type, byte[] Blob, bool IsRevoked)? Read(string line, string host)
    {
        var fields = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length == 0 || fields[0].StartsWith('#'))
            return null;
        var marker = fields[0].StartsWith('@') ? fields[0] : null;
        if (marker is not null)
            fields = fields[1..];
        // Certificate authorities vouch for certificates, which we do not ask for.
        if (marker is not null and not "@revoked" || fields.Length < 3 || !Matches(fields[0], host))
            return null;
        var blob = new byte[fields[2].Length];
        return Convert.TryFromBase64String(fields[2], blob, out var length) ? (fields[1], blob[..length], marker == "@revoked") : null;
    }

    private static bool Matches(string hosts, string host)
    {
        if (hosts.StartsWith("|1|", StringComparison.Ordinal))
            return MatchesHash(hosts, host);
        var matched = false;
        foreach (var pattern in hosts.Split(','))
        {
            var negated = pattern.StartsWith('!');
            if (!Like(negated ? pattern[1..] : pattern, host))
                continue;
            if (negated)
                return false;
            matched = true;
        }
        return matched;
    }

    private static bool MatchesHash(string hashed, string host)
    {
        var parts = hashed.Split('|');
        Span<byte> salt = stackalloc byte[64];
        Span<byte> wanted = stackalloc byte[64];
        if (parts.Length != 4 || !Convert.TryFromBase64String(parts[2], salt, out var saltLength) || !Convert.TryFromBase64String(parts[3], wanted, out var length))
            return false;
#pragma warning disable CA5350 // HMAC-SHA1 is the file's format; it hides names, it protects nothing.
        return HMACSHA1.HashData(salt[..saltLength], Encoding.ASCII.GetBytes(host)).AsSpan().SequenceEqual(wanted[..length]);
#pragma warning restore CA5350
    }

    /// <summary>The file's wildcards: <c>*</c> any characters, <c>?</c> one.</summary>
    private static bool Like(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && (pattern[p] == '?' || char.ToLowerInvariant(pattern[p]) == char.ToLowerInvariant(text[t])))
            {
                p++;
                t++;
            }
            else if (p < pattern.Length && pattern[p] == '*')
            {
                (star, mark) = (p++, t);
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }
}
