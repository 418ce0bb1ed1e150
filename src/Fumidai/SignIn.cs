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
    public static Task<ClientEnvironment> PrepareAsync(TunnelRequest request, System.Net.IPEndPoint local, Func<string, string?> environment, CancellationToken cancellationToken) => throw new NotImplementedException();
}
