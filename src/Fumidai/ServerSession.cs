using System.Net.Security;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>One connection to the database, TLS verified and signed in, with what it has said for the client.</summary>
internal sealed class ServerSession(RouteChannel channel, SslStream tls) : IAsyncDisposable
{
    internal RouteChannel Channel => channel;

    internal SslStream Tls => tls;

    /// <summary>From AuthenticationOk up to the cancel key.</summary>
    internal byte[] Greeting { get; private set; } = [];

    /// <summary>False: the greeting ends with a fatal error, and so does the session.</summary>
    internal bool Stands { get; private set; }

    /// <summary>The key the client was given; null: none.</summary>
    internal CancelKey? Key { get; private set; }

    /// <summary>Opens TLS over a channel; the channel is disposed when that fails.</summary>
    /// <exception cref="FumidaiException">The channel's own reason.</exception>
    /// <exception cref="ServerTlsException">Not this server's TLS.</exception>
    internal static async Task<ServerSession> OpenAsync(RouteChannel channel, ServerIdentity identity, CancellationToken cancellationToken)
    {
        try
        {
            return new ServerSession(channel, await ServerTls.OpenAsync(new ChannelStream(channel), identity, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            var reason = Reason(channel);
            channel.Abort(e);
            await channel.DisposeAsync().ConfigureAwait(false);
            // What looks like a broken handshake may be a connection that was refused; the channel knows.
            if (reason is FumidaiException known && e is not OperationCanceledException)
                throw known;
            throw;
        }
    }

    /// <exception cref="ServerRefusedException">The server refused.</exception>
    internal async Task SignInAsync(StartupMessage startup, ReadOnlyMemory<byte> password, bool allowMd5, CancelKeys keys, CancellationToken cancellationToken)
    {
        var signIn = await ServerSignIn.RunAsync(tls, startup, password, allowMd5, cancellationToken).ConfigureAwait(false);
        (Greeting, Stands) = await signIn.GreetingAsync(server => Key = keys.Issue(server), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        channel.Abort(new OperationCanceledException("the session is over"));
        await channel.DisposeAsync().ConfigureAwait(false);
        await tls.DisposeAsync().ConfigureAwait(false);
    }

    private static Exception? Reason(RouteChannel channel) => channel.Ended is { IsCompletedSuccessfully: true, Result: { } reason } ? reason : null;
}
