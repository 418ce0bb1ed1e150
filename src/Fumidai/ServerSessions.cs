using Fumidai.Aws;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>
/// Opens signed-in connections to one database: a refused password is read afresh once, a cluster that resumes is waited for. The client sees neither.
/// </summary>
internal sealed class ServerSessions(TunnelRequest request, ServerLogin login, ServerIdentity identity, string defaultDatabase, bool allowMd5)
{
    /// <summary>How long one sign-in may take, from the first byte to the greeting: a server that stalls is given up.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>How long a client is held while a cluster at 0 ACU resumes: 15 s, after a day's pause 30 s or longer (aws-facts §4.2).</summary>
    internal static readonly TimeSpan ResumeLimit = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time = request.Time;
    private readonly Queue<long> _tokens = new();
    private int _resuming;

    /// <summary>Keys of the connections that stand.</summary>
    internal CancelKeys Keys { get; } = new();

    /// <summary>The user that signs in, when the client names this one.</summary>
    internal string UserFor(string clientUser) => login.User ?? clientUser;

    private bool IsPausable => request.Target.Database?.MinCapacity is 0;

    /// <exception cref="ServerRefusedException">The server's final word.</exception>
    /// <exception cref="ServerTlsException">Its TLS is not to be trusted.</exception>
    /// <exception cref="PostgresProtocolException">It does not behave.</exception>
    /// <exception cref="FumidaiException">It could not be reached, or no credential could be had.</exception>
    internal async Task<ServerSession> OpenAsync(StartupMessage startup, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken cancellationToken)
    {
        if (!IsPausable)
            return await TryAsync(startup, openChannel, cancellationToken).ConfigureAwait(false);
        var begun = _time.GetTimestamp();
        while (true)
        {
            try
            {
                var session = await TryAsync(startup, openChannel, cancellationToken).ConfigureAwait(false);
                if (Interlocked.Exchange(ref _resuming, 0) == 1)
                    request.Tell("resumed", $"{request.Target.Name} has resumed");
                return session;
            }
            catch (Exception e) when (MayBeResuming(e) && _time.GetElapsedTime(begun) < ResumeLimit)
            {
                if (Interlocked.Exchange(ref _resuming, 1) == 0)
                    request.Tell("resuming", $"{request.Target.Name} is resuming from 0 ACU; clients wait for it");
            }
            await Task.Delay(Pause, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a cancel request over a connection of its own, TLS verified too: the key is a secret.</summary>
    internal async Task CancelAsync(CancelKey server, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, _time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var session = await ServerSession.OpenAsync(await openChannel(any.Token).ConfigureAwait(false), identity, any.Token).ConfigureAwait(false);
        await using (session.ConfigureAwait(false))
        {
            await session.Tls.WriteAsync(server.ToRequest(), any.Token).ConfigureAwait(false);
            // The server closes when it has passed the request on; the client learns it by the same sign.
            var end = new byte[1];
            while (await session.Tls.ReadAsync(end, any.Token).ConfigureAwait(false) > 0)
            {
                // It has nothing to say.
            }
        }
    }

    /// <summary>What to add to a refusal; null: nothing.</summary>
    internal string? Verdict(ServerRefusedException refused, string clientUser) =>
        SignInVerdict.Of(request.Target, login, UserFor(clientUser), refused, TokensOfLastSecond(add: false));

    private async Task<ServerSession> TryAsync(StartupMessage startup, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, _time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var clientUser = startup["user"] ?? "";
            using var credential = await login.TakeAsync(clientUser, any.Token).ConfigureAwait(false);
            if (login.IsToken)
                TokensOfLastSecond(add: true);
            try
            {
                return await SignInAsync(startup, credential, openChannel, any.Token).ConfigureAwait(false);
            }
            catch (ServerRefusedException e) when (e.Error.Code == "28P01")
            {
                using var another = await login.TakeAnotherAsync(credential, any.Token).ConfigureAwait(false);
                if (another is null)
                    throw;
                return await SignInAsync(startup, another, openChannel, any.Token).ConfigureAwait(false);
            }
        }
        catch (Exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new FumidaiException(Reason.NoRoute, $"{request.Target.Name} ({request.Target.Address}) did not finish the sign-in", $"it stalled for {Limit.TotalSeconds:0} s", retry: true);
        }
    }

    private async Task<ServerSession> SignInAsync(StartupMessage startup, DatabaseCredential credential, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken cancellationToken)
    {
        var session = await ServerSession.OpenAsync(await openChannel(cancellationToken).ConfigureAwait(false), identity, cancellationToken).ConfigureAwait(false);
        try
        {
            await session.SignInAsync(For(startup, credential.User), credential.Password.Memory, allowMd5, Keys, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The client's start-up with the user that signs in. A database that is only libpq's echo of the client's user name is none.</summary>
    private StartupMessage For(StartupMessage startup, string user)
    {
        var clientUser = startup["user"];
        var database = startup["database"];
        var changed = startup.With("user", user);
        return clientUser != user && (database is null or "" || database == clientUser) ? changed.With("database", defaultDatabase) : changed;
    }

    private static bool MayBeResuming(Exception error) => error switch
    {
        ServerRefusedException e => SignInVerdict.IsResuming(e.Error),
        FumidaiException e => e.IsTransient && e.Reason == Reason.NoRoute,
        // A connection cut in the middle of the handshake.
        ServerTlsException { InnerException: IOException } or IOException => true,
        _ => false,
    };

    private int TokensOfLastSecond(bool add)
    {
        lock (_tokens)
        {
            if (add)
                _tokens.Enqueue(_time.GetTimestamp());
            while (_tokens.TryPeek(out var oldest) && _time.GetElapsedTime(oldest) > TimeSpan.FromSeconds(1))
                _tokens.Dequeue();
            return _tokens.Count;
        }
    }
}
