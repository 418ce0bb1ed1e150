using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.Lab;

/// <summary>
/// A real PostgreSQL in the place of an Aurora cluster: TLS from the lab's CA for the cluster's names, <c>hostssl</c> lines only (what
/// <c>rds.force_ssl</c> comes to), SCRAM, a superuser <c>rdsadmin</c> and a master user that is none. Nothing is synced to disk: it lives as long as the lab.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private readonly string _programs;
    private readonly string _data;
    private readonly string _sockets;
    private readonly ServerUser _user;
    private readonly Keeper _keeper;
    private readonly IPEndPoint _wanted;
    private ServerProcess? _process;
    private IPEndPoint? _tokens;

    private PostgresServer(string programs, string folder, string sockets, ServerUser user, Keeper keeper, IPEndPoint wanted)
    {
        _programs = programs;
        _data = Path.Combine(folder, "data");
        _sockets = sockets;
        _user = user;
        _keeper = keeper;
        _wanted = wanted;
    }

    /// <summary>Where it listens now; null: stopped. The wanted address and port unless somebody else holds them.</summary>
    public IPEndPoint? Listening { get; private set; }

    /// <summary>The server's process id; null: stopped.</summary>
    public int? ProcessId => _process is { Exited.IsCompleted: false } running ? running.ProcessId : null;

    /// <summary>Completes when the server process that runs now has ended; completed: stopped.</summary>
    public Task Ended => _process?.Exited ?? Task.CompletedTask;

    /// <summary>initdb, first start, master user and database.</summary>
    /// <param name="folder">Empty, its own, reachable for the server's user.</param>
    /// <param name="wanted">The cluster's address and port.</param>
    /// <param name="certificate">With its key.</param>
    /// <param name="masterUsername">Gets CREATEDB, CREATEROLE and rds_superuser.</param>
    /// <param name="masterPassword">Reaches the server as SCRAM verifier only.</param>
    /// <param name="databaseName">Null: only <c>postgres</c> exists.</param>
    /// <param name="keeper">Ends it if the lab cannot.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="LabException">PostgreSQL is missing or does not start, with its own words.</exception>
    public static async Task<PostgresServer> CreateAsync(string folder, IPEndPoint wanted, X509Certificate2 certificate, string masterUsername, string masterPassword, string? databaseName, Keeper keeper, CancellationToken cancellationToken)
    {
        var programs = Programs.PostgresDirectory();
        var user = ServerUser.ForPostgres();
        var sockets = SocketFolder(folder, keeper);
        var server = new PostgresServer(programs, folder, sockets, user, keeper, wanted);
        ServerFolder.Private(server._data);
        ServerFolder.Private(sockets);
        await user.OwnAsync(server._data, cancellationToken).ConfigureAwait(false);
        await user.OwnAsync(sockets, cancellationToken).ConfigureAwait(false);
        await ServerProcess.RunAsync(
            [.. user.Prefix, Path.Combine(programs, "initdb"), "--no-sync", "--locale=C", "--encoding=UTF8", "--auth=trust", "--username=" + PostgresAdministration.Superuser, "--pgdata=" + server._data],
            null, cancellationToken).ConfigureAwait(false);
        await server.ConfigureAsync(certificate, cancellationToken).ConfigureAwait(false);
        await server.StartAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await server.PopulateAsync(masterUsername, masterPassword, databaseName, cancellationToken).ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Starts a stopped server; does nothing to a running one.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (ProcessId is not null)
            return;
        var at = FreeEndPoint(_wanted);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                _process = await ServerProcess.StartAsync("PostgreSQL",
                    [.. _user.Prefix, Path.Combine(_programs, "postgres"), "-D", _data, "-c", "listen_addresses=" + at.Address, "-c", string.Create(CultureInfo.InvariantCulture, $"port={at.Port}")],
                    new Dictionary<string, string> { ["LC_ALL"] = "C", ["TZ"] = "UTC" }, EndBy.Quit, _keeper,
                    static line => line.Contains("ready to accept connections", StringComparison.Ordinal), cancellationToken).ConfigureAwait(false);
                Listening = at;
                return;
            }
            catch (LabException error) when (attempt < 3 && error.Message.Contains("could not create any TCP/IP sockets", StringComparison.Ordinal))
            {
                // Somebody took the port between our look and PostgreSQL's bind.
                at = FreeEndPoint(new(_wanted.Address, 0));
            }
        }
    }

    /// <summary>Stops it as RDS does: clients are told ("terminating connection due to administrator command"), then the port refuses.</summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;
        await process.StopAsync(Native.Interrupt).ConfigureAwait(false);
        await process.DisposeAsync().ConfigureAwait(false);
        _process = null;
        Listening = null;
    }

    /// <summary>Gives the master user another password; sessions that are open stay.</summary>
    public Task SetPasswordAsync(string username, string password, CancellationToken cancellationToken) =>
        PostgresAdministration.ExecuteAsync(SocketPath, "postgres", [$"ALTER ROLE {PostgresAdministration.Identifier(username)} PASSWORD {PostgresAdministration.Literal(ScramVerifier.For(password))}"], cancellationToken);

    /// <summary>Turns sign-in by IAM token on or off: members of <c>rds_iam</c> then have tokens and no passwords, as on RDS.</summary>
    /// <param name="tokens">Who judges them; null: off.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task UseTokensAsync(IPEndPoint? tokens, CancellationToken cancellationToken)
    {
        if (Equals(tokens, _tokens))
            return;
        await WriteRulesAsync(tokens, cancellationToken).ConfigureAwait(false);
        if (Listening is not null)
            await PostgresAdministration.ExecuteAsync(SocketPath, "postgres", ["SELECT pg_reload_conf()"], cancellationToken).ConfigureAwait(false);
        _tokens = tokens;
    }

    /// <summary>Ends it at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            // Immediate: no checkpoint for data that is thrown away.
            await process.StopAsync(Native.Quit).ConfigureAwait(false);
            await process.DisposeAsync().ConfigureAwait(false);
        }
        _process = null;
        Listening = null;
    }

    private string SocketPath => Path.Combine(_sockets, string.Create(CultureInfo.InvariantCulture, $".s.PGSQL.{Listening?.Port}"));

    private async Task ConfigureAsync(X509Certificate2 certificate, CancellationToken cancellationToken)
    {
        var certificateFile = Path.Combine(_data, "server.crt");
        var keyFile = Path.Combine(_data, "server.key");
        await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem() + "\n", cancellationToken).ConfigureAwait(false);
        var key = certificate.GetECDsaPrivateKey()?.ExportPkcs8PrivateKeyPem() ?? certificate.GetRSAPrivateKey()?.ExportPkcs8PrivateKeyPem()
            ?? throw new ArgumentException("the certificate has no private key", nameof(certificate));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var writer = new StreamWriter(keyFile, options))
            await writer.WriteAsync(key.AsMemory(), cancellationToken).ConfigureAwait(false);
        await File.AppendAllTextAsync(Path.Combine(_data, "postgresql.conf"), $"""

            # the lab's
            unix_socket_directories = '{_sockets}'
            unix_socket_permissions = 0700
            ssl = on
            ssl_cert_file = '{certificateFile}'
            ssl_key_file = '{keyFile}'
            rds.force_ssl = 1
            password_encryption = scram-sha-256
            max_connections = 250
            fsync = off
            synchronous_commit = off
            full_page_writes = off
            wal_level = minimal
            max_wal_senders = 0
            dynamic_shared_memory_type = mmap
            logging_collector = off
            log_destination = stderr
            log_min_error_statement = panic
            log_timezone = UTC
            timezone = UTC
            """, cancellationToken).ConfigureAwait(false);
        await WriteRulesAsync(tokens: null, cancellationToken).ConfigureAwait(false);
        await _user.OwnAsync(_data, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Rewrites pg_hba.conf; owner and mode of an existing file stay.</summary>
    private Task WriteRulesAsync(IPEndPoint? tokens, CancellationToken cancellationToken)
    {
        var iam = tokens is null ? "" : string.Create(CultureInfo.InvariantCulture, $"hostssl all +rds_iam all ldap ldapserver={tokens.Address} ldapport={tokens.Port} ldapprefix=\"{TokenBinds.Prefix}\"\n");
        // Without a hostnossl line a plain connection meets "no pg_hba.conf entry … no encryption", the words of Aurora with rds.force_ssl.
        return File.WriteAllTextAsync(Path.Combine(_data, "pg_hba.conf"), $"""
            local   all {PostgresAdministration.Superuser} trust
            hostssl all {PostgresAdministration.Superuser} all reject
            {iam}hostssl all all all scram-sha-256

            """, cancellationToken);
    }

    private Task PopulateAsync(string masterUsername, string masterPassword, string? databaseName, CancellationToken cancellationToken)
    {
        var master = PostgresAdministration.Identifier(masterUsername);
        List<string> statements =
        [
            "CREATE ROLE rds_superuser NOLOGIN",
            "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION",
            "CREATE ROLE rds_iam NOLOGIN",
            $"CREATE ROLE {master} LOGIN CREATEDB CREATEROLE PASSWORD {PostgresAdministration.Literal(ScramVerifier.For(masterPassword))}",
            $"GRANT rds_superuser TO {master}",
        ];
        // pg_checkpoint came with PostgreSQL 15.
        if (int.TryParse(File.ReadAllText(Path.Combine(_data, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture, out var version) && version < 15)
            statements[1] = statements[1].Replace(", pg_checkpoint", "", StringComparison.Ordinal);
        if (databaseName is not (null or "postgres"))
            statements.Add($"CREATE DATABASE {PostgresAdministration.Identifier(databaseName)} OWNER {master}");
        return PostgresAdministration.ExecuteAsync(SocketPath, "postgres", statements, cancellationToken);
    }

    /// <summary>A Unix socket's path holds about 100 bytes; a lab in a deep directory gets its socket elsewhere.</summary>
    private static string SocketFolder(string folder, Keeper keeper)
    {
        var inside = Path.Combine(folder, "s");
        if (inside.Length <= 80)
            return inside;
        var elsewhere = Directory.CreateTempSubdirectory("fmd").FullName;
        keeper.Remove(elsewhere);
        return elsewhere;
    }

    /// <summary>The wanted place, or, if somebody holds it (another lab on this machine), a free port of the same address.</summary>
    private static IPEndPoint FreeEndPoint(IPEndPoint wanted)
    {
        foreach (var at in (IPEndPoint[])[wanted, new(wanted.Address, 0), new(IPAddress.Loopback, 0)])
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(at);
                return (IPEndPoint)probe.LocalEndPoint!;
            }
            catch (SocketException)
            {
                // Taken, or (macOS) an address of 127/8 that is not configured.
            }
        }
        throw new LabException($"no free port at {wanted.Address}");
    }
}
