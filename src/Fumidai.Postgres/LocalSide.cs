using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>What a client of the local endpoint came for, once it was let in.</summary>
public abstract record LocalRequest
{
    /// <summary>A session. The client has proved the local password and waits for AuthenticationOk; nothing behind its start-up was read.</summary>
    /// <param name="Startup">What it sent.</param>
    public sealed record Session(StartupMessage Startup) : LocalRequest;

    /// <summary>To cancel a query. It expects no answer but the end of the connection.</summary>
    /// <param name="Key">Of which connection.</param>
    public sealed record Cancel(CancelKey Key) : LocalRequest;
}

/// <summary>How the local endpoint treats its clients.</summary>
public sealed record LocalSideOptions
{
    /// <summary>What clients must know; null: whoever reaches the endpoint is let in.</summary>
    public LocalPassword? Password { get; init; }

    /// <summary>How long a client may take from connecting to having signed in.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How many clients may be on their way in at once; one more pushes out the one that came first.</summary>
    public int MaxHalfOpen { get; init; } = 1000;

    /// <summary>Told when a client gives the wrong password.</summary>
    public string WrongPasswordHint { get; init; } = "The password is that of this run of fumidai, not the database's";
}

/// <summary>
/// The endpoint's own end of PostgreSQL's start-up: refuses encryption politely (it stands on loopback), reads start-up or cancel, and demands the
/// run's password by SCRAM-SHA-256. Bounded in bytes, time and number; one client's silence costs a few hundred bytes and nobody else anything.
/// </summary>
public sealed class LocalSide(LocalSideOptions options, TimeProvider time)
{
    /// <summary>Longest SASL message of an honest client is some 200 bytes.</summary>
    private const int MaxSaslLength = 4096;

    /// <summary>An SSLRequest, a GSSENCRequest and a start-up; more is a game.</summary>
    private const int MaxFirstMessages = 3;

    private readonly HalfOpen _halfOpen = new(options.MaxHalfOpen);

    /// <summary>Clients on their way in.</summary>
    public int HalfOpenCount => _halfOpen.Count;

    /// <summary>
    /// Lets one client in. Null: it went away, was too slow, was pushed out, or was refused; it has been told, as far as it could be, and the stream is to be closed.
    /// </summary>
    /// <param name="client">Its stream; read exactly as far as was needed.</param>
    /// <param name="isKnown">Whether who it is was proved otherwise (a Unix socket's peer): then no password is asked.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<LocalRequest?> AcceptAsync(Stream client, bool isKnown, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        using var place = _halfOpen.Enter();
        using var limit = new CancellationTokenSource(options.Limit, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token, place.PushedOut);
        try
        {
            return await GreetAsync(client, isKnown, any.Token).ConfigureAwait(false);
        }
        catch (PostgresProtocolException e)
        {
            await RefuseAsync(client, ErrorMessage.Fatal("08P01", e.Message), any.Token).ConfigureAwait(false);
        }
        catch (UnsupportedProtocolException e)
        {
            await RefuseAsync(client, ErrorMessage.Fatal("0A000", string.Create(CultureInfo.InvariantCulture,
                $"unsupported frontend protocol {e.Version >> 16 & 0xFFFF}.{e.Version & 0xFFFF}: server supports 3.0 and later")), any.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Too slow, or pushed out: there is nobody to talk to who has shown to listen.
        }
        catch (IOException)
        {
            // It went away.
        }
        return null;
    }

    private async Task<LocalRequest?> GreetAsync(Stream client, bool isKnown, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MaxFirstMessages; i++)
        {
            switch (await FirstMessage.ReadAsync(client, cancellationToken).ConfigureAwait(false))
            {
                case null:
                    return null;
                case FirstMessage.Ssl or FirstMessage.Gss:
                    await client.WriteAsync("N"u8.ToArray(), cancellationToken).ConfigureAwait(false);
                    continue;
                case FirstMessage.Cancel cancel:
                    return new LocalRequest.Cancel(cancel.Key);
                case FirstMessage.Startup { Message: var startup }:
                    return isKnown || options.Password is not { } password || await ProvesAsync(client, password, startup, cancellationToken).ConfigureAwait(false)
                        ? new LocalRequest.Session(startup)
                        : null;
            }
        }
        throw new PostgresProtocolException("a start-up packet was expected");
    }

    private async Task<bool> ProvesAsync(Stream client, LocalPassword password, StartupMessage startup, CancellationToken cancellationToken)
    {
        var scram = new ScramServer(password);
        await client.WriteAsync(WireMessage.Of('R', WireMessage.Int32(10), Encoding.ASCII.GetBytes(Scram.Mechanism + "\0\0")), cancellationToken).ConfigureAwait(false);
        var first = ClientFirst(await ReadSaslAsync(client, cancellationToken).ConfigureAwait(false));
        await client.WriteAsync(WireMessage.Of('R', WireMessage.Int32(11), Encoding.ASCII.GetBytes(scram.Begin(first.Span))), cancellationToken).ConfigureAwait(false);
        var proof = await ReadSaslAsync(client, cancellationToken).ConfigureAwait(false);
        if (scram.Finish(proof.Span) is not { } final)
        {
            await RefuseAsync(client, ErrorMessage.Fatal("28P01", $"password authentication failed for user \"{startup["user"]}\"", options.WrongPasswordHint), cancellationToken).ConfigureAwait(false);
            return false;
        }
        await client.WriteAsync(WireMessage.Of('R', WireMessage.Int32(12), Encoding.ASCII.GetBytes(final)), cancellationToken).ConfigureAwait(false);
        return true;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadSaslAsync(Stream client, CancellationToken cancellationToken)
    {
        var message = await WireMessage.ReadAsync(client, MaxSaslLength, cancellationToken).ConfigureAwait(false);
        return message[0] == (byte)'p' ? WireMessage.Body(message) : throw new PostgresProtocolException("an answer to the password request was expected");
    }

    /// <summary>SASLInitialResponse: mechanism, then the length of client-first and client-first itself.</summary>
    private static ReadOnlyMemory<byte> ClientFirst(ReadOnlyMemory<byte> body)
    {
        var end = body.Span.IndexOf((byte)0);
        if (end < 0 || Encoding.ASCII.GetString(body.Span[..end]) != Scram.Mechanism)
            throw new PostgresProtocolException("client selected an invalid SASL authentication mechanism");
        var rest = body[(end + 1)..];
        if (rest.Length < 4 || BinaryPrimitives.ReadInt32BigEndian(rest.Span) != rest.Length - 4)
            throw new PostgresProtocolException("a SASL message of another length than it says");
        return rest[4..];
    }

    private static async Task RefuseAsync(Stream client, byte[] error, CancellationToken cancellationToken)
    {
        try
        {
            await client.WriteAsync(error, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // It does not listen; it is refused all the same.
        }
    }
}
