using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Fumidai.Postgres;
using Microsoft.Extensions.Logging;

namespace Fumidai;

/// <summary>
/// Where clients speak PostgreSQL without TLS to this machine's loopback, or to a Unix socket, with the run's own password; what stands behind it is the
/// business of those who derive from it.
/// </summary>
public abstract class LocalEndpoint : IAsyncDisposable
{
    /// <summary>How long a client that is being let go may take to hear it.</summary>
    private static readonly TimeSpan LastWord = TimeSpan.FromSeconds(1);

    /// <summary>Reads of 1 KB thrown away meanwhile.</summary>
    private const int MaxUnread = 64;

    private readonly TunnelRequest _request;
    private readonly LocalPassword? _password;
    private readonly LocalSide _local;
    private readonly string _folder;
    private readonly string _database;
    private LocalSocket? _socket;

    private protected LocalEndpoint(TunnelRequest request, string database, bool trustsLoopback, Func<string, string?> environment)
    {
        _request = request;
        _database = database;
        _folder = Given(environment("XDG_RUNTIME_DIR")) is { } runtime && Directory.Exists(runtime) ? runtime : Path.GetTempPath();
        _password = trustsLoopback ? null : LocalPassword.Create();
        _local = new LocalSide(new LocalSideOptions { Password = _password }, request.Time);
    }

    /// <summary>Whether anybody on this machine may use it.</summary>
    public bool TrustsLoopback => _password is null;

    /// <summary>Folder of the Unix socket, for libpq's <c>host</c>; null: there is none.</summary>
    public string? SocketFolder => _socket?.Folder;

    /// <summary>File of mode 0600 with the run's password, for <c>PGPASSFILE</c>; null: none was written.</summary>
    public string? Passfile { get; private set; }

    /// <summary>The user that clients are signed in as.</summary>
    public abstract string User { get; }

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

    /// <summary>Where the login comes from, for people.</summary>
    private protected abstract string Source { get; }

    private protected TunnelRequest Request => _request;

    /// <summary>The listening Unix socket; null: none.</summary>
    internal Socket? Listener => _socket?.Listener;

    /// <summary>Makes the Unix socket where that is possible and others than a child may connect, and a passfile in its folder.</summary>
    internal void Listen(int port, ILogger logger)
    {
        if (_request.ServesChild || !LocalSocket.IsSupported)
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
    internal virtual void Tell(IPEndPoint local)
    {
        var (at, port) = (local.ToString(), local.Port.ToString(CultureInfo.InvariantCulture));
        var how = (Passfile, SocketFolder) switch
        {
            ({ } file, { } folder) => $"PGPASSFILE={file}, or without a password through the Unix socket: PGHOST={folder}",
            (null, { } folder) => $"no password; Unix socket: PGHOST={folder}",
            _ => "no password",
        };
        if (!_request.ServesChild)
        {
            _request.Tell("auth_proxy", $"Sign in at {at} as {User}, database {_database}, sslmode=disable, {how}",
                ("address", local.Address.ToString()), ("port", port), ("user", User), ("database", _database), ("passfile", Passfile ?? ""), ("socket", SocketFolder ?? ""), ("source", Source));
        }
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
            case LocalRequest.Cancel cancel:
                await CancelAsync(cancel.Key, openChannel, stop).ConfigureAwait(false);
                break;
            case LocalRequest.Session session:
                return await RunAsync(client, stream, session.Startup, openChannel, numbers, stop).ConfigureAwait(false);
            default:
                break;
        }
        await FinishAsync(client, stop).ConfigureAwait(false);
        return null;
    }

    /// <summary>Carries a cancel request to where it belongs; one with a key that was never handed out goes nowhere.</summary>
    private protected abstract Task CancelAsync(CancelKey key, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken stop);

    /// <summary>A client that was let in, to its end.</summary>
    private protected abstract Task<CopyResult?> RunAsync(Socket client, NetworkStream stream, StartupMessage startup, Func<CancellationToken, Task<RouteChannel>> openChannel, ChannelNumbers? numbers, CancellationToken stop);

    private protected async Task EndAsync(Socket client, NetworkStream stream, byte[] error, CancellationToken stop)
    {
        await stream.WriteAsync(error, stop).ConfigureAwait(false);
        await FinishAsync(client, stop).ConfigureAwait(false);
    }

    /// <summary>An orderly end: a close while something unread lies in the socket would be a reset, and take our last word with it.</summary>
    private protected async Task FinishAsync(Socket client, CancellationToken stop)
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

    /// <summary>Ends the socket and what stands behind.</summary>
    public virtual ValueTask DisposeAsync()
    {
        _socket?.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
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

    private protected static string? Given(string? value) => value is { Length: > 0 } ? value : null;
}
