using System.Net.Sockets;
using Fumidai.Postgres;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fumidai;

/// <summary>
/// Signs in for clients: they speak PostgreSQL without TLS to this machine's loopback, or to a Unix socket, and the proxy speaks it over verified TLS to the
/// database, with the secret or an IAM token. After the sign-in bytes are copied and not looked at.
/// </summary>
public sealed class AuthProxy : LocalEndpoint
{
    private readonly ServerLogin _login;
    private readonly ServerSessions _sessions;
    private readonly ILogger _logger;

    private AuthProxy(TunnelRequest request, ServerLogin login, ServerIdentity identity, TunnelSettings settings, string database, bool trustsLoopback, Func<string, string?> environment)
        : base(request, database, trustsLoopback, environment)
    {
        _login = login;
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
            return new AuthProxy(request, login, new ServerIdentity(request.Target.Address.Host, roots), settings, database, trustsLoopback, environment);
        }
        catch
        {
            login.Dispose();
            throw;
        }
    }

    /// <summary>The user that clients are signed in as.</summary>
    public override string User => _login.User ?? Request.Target.Database?.MasterUsername ?? "postgres";

    private protected override string Source => _login.Source;

    /// <summary>Ends the socket and forgets the login.</summary>
    public override ValueTask DisposeAsync()
    {
        _login.Dispose();
        return base.DisposeAsync();
    }

    private protected override Task CancelAsync(CancelKey key, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken stop) =>
        _sessions.Keys.Find(key) is { } server ? _sessions.CancelAsync(server, openChannel, stop) : Task.CompletedTask;

    private protected override async Task<CopyResult?> RunAsync(Socket client, NetworkStream stream, StartupMessage startup, Func<CancellationToken, Task<RouteChannel>> openChannel, ChannelNumbers? numbers, CancellationToken stop)
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
                Request.Tell("sign_in_refused", $"The database refused {_sessions.UserFor(clientUser)}: {refused.Error}{(hint is null ? "" : ". " + hint)}",
                    ("user", _sessions.UserFor(clientUser)), ("code", refused.Error.Code), ("reason", refused.Error.Message), ("next", hint ?? ""));
            }
            return hint is null ? refused.Bytes.ToArray() : ErrorMessage.WithHint(refused.Bytes, hint);
        }
        if (error is FumidaiException known)
        {
            if (known.Reason != Reason.NoRoute)
                Request.Tell("sign_in_refused", known.Message, ("reason", known.Message));
            return ErrorMessage.Fatal(known.Reason == Reason.NoRoute ? "08001" : "28000", known.Cause is null ? known.What : $"{known.What}: {known.Cause}", known.Next);
        }
        var host = Request.Target.Address.Host;
        return error switch
        {
            ServerTlsException => ErrorMessage.Fatal("08001", $"the connection to {host} cannot be trusted: {error.Message}", "Nothing was sent to it. Name other roots with --ca-file if they are right"),
            PostgresProtocolException => ErrorMessage.Fatal("08P01", $"{host}: {error.Message}"),
            _ => ErrorMessage.Fatal("08006", $"the connection to {host} broke during the sign-in"),
        };
    }
}
