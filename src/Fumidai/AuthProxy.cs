using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Fumidai.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fumidai;

/// <summary>
/// Signs in for clients: they speak PostgreSQL without TLS to this machine's loopback, or to a Unix socket, and the proxy speaks it over verified TLS to the
/// database, with the secret or an IAM token. After the sign-in bytes are copied and not looked at.
/// </summary>
public sealed class AuthProxy : IAsyncDisposable
{
    /// <summary>How long a client that is being let go may take to hear it.</summary>
    private static readonly TimeSpan LastWord = TimeSpan.FromSeconds(1);

    /// <summary>Reads of 1 KB thrown away meanwhile.</summary>
    private const int MaxUnread = 64;

    private readonly TunnelRequest _request;
    private readonly ServerLogin _login;
    private readonly ServerSessions _sessions;
    private readonly LocalSide _local;
    private readonly LocalPassword? _password;
    private readonly string _folder;
    private readonly string _database;
    private readonly ILogger _logger;
    private LocalSocket? _socket;

    private AuthProxy(TunnelRequest request, ServerLogin login, ServerIdentity identity, TunnelSettings settings, string database, bool trustsLoopback, string folder)
    {
        _request = request;
        _login = login;
        _database = database;
        _folder = folder;
        _password = trustsLoopback ? null : LocalPassword.Create();
        _local = new LocalSide(new LocalSideOptions { Password = _password }, request.Time);
        _sessions = new ServerSessions(request, login, identity, database, settings.AllowMd5);
        _logger = (request.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger("Fumidai.AuthProxy");
    }

    /// <summary>Finds the login and takes it once, so that what is missing is told now and not to the first client.</summary>
    /// <param name="request">The tunnel that will use it.</param>
    /// <param name="environment">Variables.</param>
    /// <param name="trustsLoopback">Whether programs of this machine are let in without a password.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Null: only the client can know the password, so nobody can sign in for it.</returns>
    /// <exception cref="FumidaiException">The login, or the roots to verify the database by, cannot be had.</exception>
    public static async Task<AuthProxy?> PrepareAsync(TunnelRequest request, Func<string, string?> environment, bool trustsLoopback, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(environment);
        var settings = TunnelSettings.Of(request.Settings, request.Target);
        var choice = new LoginChoice(request.Target, settings, settings.Port, environment);
        var plan = choice.Choose();
        if (plan is LoginPlan.Own own)
            plan = new LoginPlan.Own(choice.WithPassword(own.Login));
        if (ServerLogin.Of(plan, request) is not { } login)
            return null;
        try
        {
            var roots = RootsFile.Load(settings.CaFile, request.Access.HasCustomEndpoint ? request.Access.RootsFile : null);
            using (await login.TakeAsync(request.Target.Database?.MasterUsername ?? "postgres", cancellationToken).ConfigureAwait(false))
            {
                // Only to see that there is one.
            }
            var database = settings.Database ?? Given(environment("PGDATABASE")) ?? request.Target.Database?.DatabaseName ?? "postgres";
            var folder = Given(environment("XDG_RUNTIME_DIR")) is { } runtime && Directory.Exists(runtime) ? runtime : Path.GetTempPath();
            return new AuthProxy(request, login, new ServerIdentity(request.Target.Address.Host, roots), settings, database, trustsLoopback, folder);
        }
        catch
        {
            login.Dispose();
            throw;
        }
    }

    /// <summary>Whether anybody on this machine may use it.</summary>
    public bool TrustsLoopback => _password is null;

    /// <summary>Folder of the Unix socket, for libpq's <c>host</c>; null: there is none.</summary>
    public string? SocketFolder => _socket?.Folder;

    /// <summary>File of mode 0600 with the run's password, for <c>PGPASSFILE</c>; null: none was written.</summary>
    public string? Passfile { get; private set; }

    /// <summary>What a child needs in its environment. PGHOSTADDR and PGSSLROOTCERT are null: to be removed.</summary>
    public IReadOnlyDictionary<string, string?> Environment(IPEndPoint local)
    {
        ArgumentNullException.ThrowIfNull(local);
        return new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["PGHOST"] = local.Address.ToString(),
            ["PGHOSTADDR"] = null,
            ["PGPORT"] = local.Port.ToString(CultureInfo.InvariantCulture),
            ["PGUSER"] = User,
            ["PGPASSWORD"] = _password?.Reveal(),
            ["PGDATABASE"] = _database,
            // On loopback; towards the database TLS is always verified.
            ["PGSSLMODE"] = "disable",
            ["PGSSLROOTCERT"] = null,
            ["PGCHANNELBINDING"] = null,
            ["PGREQUIREAUTH"] = null,
            ["PGGSSENCMODE"] = "disable",
            ["PGSERVICE"] = null,
        };
    }

    /// <summary>The user that clients are signed in as.</summary>
    public string User => _login.User ?? _request.Target.Database?.MasterUsername ?? "postgres";

    /// <summary>The listening Unix socket; null: none.</summary>
    internal Socket? Listener => _socket?.Listener;

    /// <summary>Makes the Unix socket where that is possible, and a passfile in its folder.</summary>
    internal void Listen(int port, ILogger logger)
    {
        if (!LocalSocket.IsSupported)
            return;
        try
        {
            _socket = LocalSocket.Listen(_folder, port);
            if (_password is { } password)
                Passfile = WritePassfile(_socket.Folder, port, password);
        }
        catch (IOException e)
        {
            logger.NoSocket(e);
        }
    }

    /// <summary>No new clients through the socket.</summary>
    internal void StopListening() => _socket?.Dispose();

    /// <summary>Says where and as whom clients sign in.</summary>
    internal void Tell(IPEndPoint local)
    {
        var (at, port) = (local.ToString(), local.Port.ToString(CultureInfo.InvariantCulture));
        var how = (Passfile, SocketFolder) switch
        {
            ({ } file, { } folder) => $"PGPASSFILE={file}, or without a password through the Unix socket: PGHOST={folder}",
            (null, { } folder) => $"no password; Unix socket: PGHOST={folder}",
            _ => "no password",
        };
        _request.Tell("auth_proxy", $"Sign in at {at} as {User}, database {_database}, sslmode=disable, {how}",
            ("address", local.Address.ToString()), ("port", port), ("user", User), ("database", _database), ("passfile", Passfile ?? ""), ("socket", SocketFolder ?? ""), ("source", _login.Source));
        if (TrustsLoopback)
            _request.Tell("trusting", $"Warning: every program and every user of this machine can sign in to {_request.Target.Name} through {at} as {User}", ("address", at));
    }

    /// <summary>Serves one client to its end. The caller disposes the socket.</summary>
    internal async Task<CopyResult?> ServeAsync(Socket client, Func<CancellationToken, Task<RouteChannel>> openChannel, ChannelNumbers? numbers, CancellationToken stop)
    {
        var isUnix = client.AddressFamily == AddressFamily.Unix;
        var stream = new NetworkStream(client, ownsSocket: false);
        await using var _ = stream.ConfigureAwait(false);
        if (isUnix && !LocalSocket.Admits(client))
        {
            await EndAsync(client, stream, ErrorMessage.Fatal("28000", "this socket is for the user who runs fumidai only"), stop).ConfigureAwait(false);
            return null;
        }
        switch (await _local.AcceptAsync(stream, isKnown: isUnix, stop).ConfigureAwait(false))
        {
            case LocalRequest.Cancel cancel when _sessions.Keys.Find(cancel.Key) is { } key:
                await _sessions.CancelAsync(key, openChannel, stop).ConfigureAwait(false);
                break;
            case LocalRequest.Session session:
                return await RunAsync(client, stream, session.Startup, openChannel, numbers, stop).ConfigureAwait(false);
            default:
                break;
        }
        await FinishAsync(client, stop).ConfigureAwait(false);
        return null;
    }

    /// <summary>Ends the socket and forgets the login.</summary>
    public ValueTask DisposeAsync()
    {
        _socket?.Dispose();
        _login.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<CopyResult?> RunAsync(Socket client, NetworkStream stream, StartupMessage startup, Func<CancellationToken, Task<RouteChannel>> openChannel, ChannelNumbers? numbers, CancellationToken stop)
    {
        ServerSession session;
        try
        {
            session = await _sessions.OpenAsync(startup, openChannel, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _logger.SignInFailed(e.GetType().Name);
            await EndAsync(client, stream, Refusal(e, startup["user"] ?? ""), stop).ConfigureAwait(false);
            return null;
        }
        await using (session.ConfigureAwait(false))
        {
            try
            {
                await stream.WriteAsync(session.Greeting, stop).ConfigureAwait(false);
                if (session.Stands)
                {
                    using var counted = numbers?.CountOpen();
                    return await TlsCopy.RunAsync(client, session.Tls, session.Channel, numbers, stop).ConfigureAwait(false);
                }
                await FinishAsync(client, stop).ConfigureAwait(false);
                return null;
            }
            finally
            {
                if (session.Key is { } key)
                    _sessions.Keys.Forget(key);
            }
        }
    }

    /// <summary>The server's words as they came, a hint added where more is known; else ours, of the class "connection exception".</summary>
    private byte[] Refusal(Exception error, string clientUser)
    {
        if (error is ServerRefusedException refused)
        {
            var hint = _sessions.Verdict(refused, clientUser);
            if (refused.Error.Code is "28P01" or "28000")
            {
                _request.Tell("sign_in_refused", $"The database refused {_sessions.UserFor(clientUser)}: {refused.Error}{(hint is null ? "" : ". " + hint)}",
                    ("user", _sessions.UserFor(clientUser)), ("code", refused.Error.Code), ("reason", refused.Error.Message), ("next", hint ?? ""));
            }
            return hint is null ? refused.Bytes.ToArray() : ErrorMessage.WithHint(refused.Bytes, hint);
        }
        if (error is FumidaiException known)
        {
            if (known.Reason != Reason.NoRoute)
                _request.Tell("sign_in_refused", known.Message, ("reason", known.Message));
            return ErrorMessage.Fatal(known.Reason == Reason.NoRoute ? "08001" : "28000", known.Cause is null ? known.What : $"{known.What}: {known.Cause}", known.Next);
        }
        var host = _request.Target.Address.Host;
        return error switch
        {
            ServerTlsException => ErrorMessage.Fatal("08001", $"the connection to {host} cannot be trusted: {error.Message}", "Nothing was sent to it. Name other roots with --ca-file if they are right"),
            PostgresProtocolException => ErrorMessage.Fatal("08P01", $"{host}: {error.Message}"),
            _ => ErrorMessage.Fatal("08006", $"the connection to {host} broke during the sign-in"),
        };
    }

    private async Task EndAsync(Socket client, NetworkStream stream, byte[] error, CancellationToken stop)
    {
        await stream.WriteAsync(error, stop).ConfigureAwait(false);
        await FinishAsync(client, stop).ConfigureAwait(false);
    }

    /// <summary>An orderly end: a close while something unread lies in the socket would be a reset, and take our last word with it.</summary>
    private async Task FinishAsync(Socket client, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(LastWord, _request.Time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        var rest = new byte[1024];
        try
        {
            client.Shutdown(SocketShutdown.Send);
            for (var i = 0; i < MaxUnread && await client.ReceiveAsync(rest.AsMemory(), any.Token).ConfigureAwait(false) > 0; i++)
            {
                // Not for us any more.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It has gone, or says nothing and does not go.
        }
    }

    private static string WritePassfile(string folder, int port, LocalPassword password)
    {
        var path = Path.Combine(folder, "pgpass");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var file = new StreamWriter(path, options);
        foreach (var host in (string[])["localhost", "127.0.0.1", @"\:\:1"])
            file.Write(string.Create(CultureInfo.InvariantCulture, $"{host}:{port}:*:*:{password.Reveal()}\n"));
        return path;
    }

    private static string? Given(string? value) => value is { Length: > 0 } ? value : null;
}
