using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>What a libpq client needs in its environment to sign in through a tunnel, TLS verified to the endpoint's real name (design §5).</summary>
public sealed record ClientEnvironment
{
    /// <summary>PGHOST, PGHOSTADDR, PGPORT, PGUSER, PGDATABASE, PGSSLMODE, PGSSLROOTCERT … without the password.</summary>
    public required IReadOnlyDictionary<string, string> Variables { get; init; }
    /// <summary>Set as PGPASSWORD; null: the user's own passfile or environment decides.</summary>
    public Secret? Password { get; init; }
    /// <summary>Where the sign-in comes from, for people: <c>secret rds!cluster-…</c>, <c>environment</c>, <c>passfile</c>.</summary>
    public required string Source { get; init; }
}

/// <summary>Finds the login for a target: <c>--secret</c>, the environment or passfile the user already has, the cluster's managed master secret.</summary>
public static class SignIn
{
    /// <summary>Reads the login and builds the environment.</summary>
    /// <exception cref="FumidaiException">SignIn, AwsAccess or NotFound with the next step.</exception>
    public static async Task<ClientEnvironment> PrepareAsync(TunnelRequest request, System.Net.IPEndPoint local, Func<string, string?> environment, CancellationToken cancellationToken)
    {
        var settings = TunnelSettings.Of(request.Settings, request.Target);
        var login = await Telemetry.SignInAsync(request.Target, () => new LoginChoice(request.Target, settings, local.Port, environment)
            .FindAsync((id, token) => ReadAsync(request.Access, id, token), (user, _) => SignAsync(request, user), cancellationToken)).ConfigureAwait(false);
        var roots = settings.CaFile is { } file
            ? RootsFile.Checked(file)
            : RootsFile.Write(request.Access.HasCustomEndpoint ? request.Access.RootsFile : null, environment);
        return new ClientEnvironment
        {
            Variables = Variables(request.Target, settings, login, local, roots, environment),
            Password = login.Password,
            Source = login.Source,
        };
    }

    internal static Dictionary<string, string> Variables(
        Target target, TunnelSettings settings, FoundLogin login, System.Net.IPEndPoint local, string roots, Func<string, string?> environment)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // The real name for the certificate, the local address for the socket: libpq keeps the two apart.
            ["PGHOST"] = target.Address.Host,
            ["PGHOSTADDR"] = local.Address.ToString(),
            ["PGPORT"] = local.Port.ToString(CultureInfo.InvariantCulture),
            ["PGSSLMODE"] = "verify-full",
            ["PGSSLROOTCERT"] = roots,
            // Nothing in a VPC answers Kerberos; a ticket lying about would cost a refused round trip.
            ["PGGSSENCMODE"] = "disable",
            ["PGCONNECT_TIMEOUT"] = ConnectTimeout(target, environment("PGCONNECT_TIMEOUT")).ToString(CultureInfo.InvariantCulture),
        };
        if (login.User is { } user)
            variables["PGUSER"] = user;
        // Without a name libpq takes the user's; a cluster without an initial database has only "postgres".
        var database = settings.Database ?? Given(environment("PGDATABASE")) ?? target.Database?.DatabaseName ?? (target.Database is null ? null : "postgres");
        if (database is not null)
            variables["PGDATABASE"] = database;
        return variables;
    }

    /// <summary>Seconds: at least what the readiness probe allows; 0 in the environment means for ever and is kept.</summary>
    private static int ConnectTimeout(Target target, string? given)
    {
        var least = (int)(target.Database?.MinCapacity is 0 ? Readiness.LimitWhenPausable : Readiness.Limit).TotalSeconds + 15;
        return int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && (seconds == 0 || seconds > least) ? seconds : least;
    }

    private static string? Given(string? value) => value is { Length: > 0 } ? value : null;

    /// <summary>For the environment of one client, which takes nothing but text.</summary>
    internal static async Task<Secret> SignAsync(TunnelRequest request, string user)
    {
        using var token = await TokenLogin.SignAsync(request, user).ConfigureAwait(false);
        return new Secret(System.Text.Encoding.ASCII.GetString(token.Memory.Span));
    }

    private static async Task<DatabaseLogin> ReadAsync(AwsAccess access, string secretId, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadSecret.ReadAsync(access, secretId, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot read the secret {secretId}", Reason.SignIn, "Name another with --secret, or a login with --user");
        }
    }
}
