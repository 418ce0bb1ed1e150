using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Fumidai.Lab;

/// <summary>
/// Lets a real PostgreSQL ask the lab about IAM tokens: members of <c>rds_iam</c> sign in by its <c>ldap</c> method, which demands the password in cleartext over
/// TLS, as RDS does, and binds with it here. Only simple binds are answered (RFC 4511 §4.2). Lab only: a refusal reads "LDAP authentication failed", RDS says PAM.
/// </summary>
internal sealed class TokenBinds : IAsyncDisposable
{
    /// <summary>Before the user's name in a bind.</summary>
    public const string Prefix = "cn=";

    private const int MaxLength = 64 * 1024;
    private const byte Success = 0;
    private const byte InvalidCredentials = 49;

    private readonly Func<string, string, bool> _opens;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    /// <param name="opens">Whether a token opens to a user.</param>
    public TokenBinds(Func<string, string, bool> opens)
    {
        _opens = opens;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(128);
        At = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint At { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var peer = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            _ = ServeAsync(peer);
        }
    }

    private async Task ServeAsync(Socket peer)
    {
        using var stream = new NetworkStream(peer, ownsSocket: true);
        try
        {
            while (await ReadAsync(stream).ConfigureAwait(false) is { } message)
            {
                if (Answer(message) is not { } answer)
                    return;
                await stream.WriteAsync(answer, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or FormatException)
        {
            // PostgreSQL went away, or is told to end.
        }
    }

    /// <summary>One LDAPMessage's inside; null: the end.</summary>
    private async Task<byte[]?> ReadAsync(NetworkStream stream)
    {
        var head = new byte[2];
        if (await stream.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, _stop.Token).ConfigureAwait(false) < 2 || head[0] != 0x30)
            return null;
        int length = head[1];
        if (length >= 0x80)
        {
            var more = new byte[4];
            var count = length - 0x80;
            if (count is < 1 or > 4)
                return null;
            await stream.ReadExactlyAsync(more.AsMemory(4 - count), _stop.Token).ConfigureAwait(false);
            length = BinaryPrimitives.ReadInt32BigEndian(more);
        }
        if (length is < 0 or > MaxLength)
            return null;
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, _stop.Token).ConfigureAwait(false);
        return body;
    }

    /// <summary>Null: nothing to answer (an unbind, or what is not modelled).</summary>
    private byte[]? Answer(ReadOnlySpan<byte> message)
    {
        var id = Take(ref message, 0x02);
        if (message.Length == 0 || message[0] != 0x60)
            return null;
        var bind = Take(ref message, 0x60);
        Take(ref bind, 0x02);
        var name = Encoding.UTF8.GetString(Take(ref bind, 0x04));
        var password = Encoding.UTF8.GetString(Take(ref bind, 0x80));
        var opens = name.StartsWith(Prefix, StringComparison.Ordinal) && _opens(name[Prefix.Length..], password);
        byte[] answer = [0x02, (byte)id.Length, .. id, 0x61, 7, 0x0A, 1, opens ? Success : InvalidCredentials, 0x04, 0, 0x04, 0];
        return [0x30, (byte)answer.Length, .. answer];
    }

    /// <summary>The inside of the next element, which must have this tag.</summary>
    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> from, byte tag)
    {
        if (from.Length < 2 || from[0] != tag)
            throw new FormatException("not the element expected");
        var (at, length) = (2, (int)from[1]);
        if (length >= 0x80)
        {
            var count = length - 0x80;
            if (count is < 1 or > 3 || from.Length < 2 + count)
                throw new FormatException("a length out of bounds");
            length = 0;
            for (; at < 2 + count; at++)
                length = length << 8 | from[at];
        }
        if (from.Length < at + length)
            throw new FormatException("an element cut short");
        var inside = from.Slice(at, length);
        from = from[(at + length)..];
        return inside;
    }
}
