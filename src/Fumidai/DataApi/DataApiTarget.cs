using Fumidai.Aws;

namespace Fumidai;

/// <summary>What the Data API needs to know of a target.</summary>
internal static class DataApiTarget
{
    /// <summary>Settings that differ between servers and that a session may want back.</summary>
    private static readonly string[] s_settings =
    [
        "server_version", "server_encoding", "DateStyle", "TimeZone", "IntervalStyle", "integer_datetimes", "standard_conforming_strings", "is_superuser", "session_authorization",
        "search_path", "role", "extra_float_digits", "default_transaction_read_only", "default_transaction_isolation", "statement_timeout", "lock_timeout", "bytea_output", "synchronize_seqscans",
        "idle_in_transaction_session_timeout", "row_security", "check_function_bodies", "xmloption", "default_tablespace", "default_table_access_method", "in_hot_standby", "default_transaction_deferrable",
    ];

    /// <exception cref="FumidaiException">It is none that the Data API serves, or no secret is known.</exception>
    public static async Task<DataApiAddress> OfAsync(TunnelRequest request, string? database, CancellationToken cancellationToken)
    {
        var target = request.Target;
        if (target.Database is not { Kind: DatabaseKind.Cluster, IsPostgres: true } cluster)
            throw new FumidaiException(Reason.Usage, $"{target.Name} cannot be reached by the Data API", "it serves Aurora PostgreSQL clusters", "Name one: fumidai targets lists them");
        var settings = TunnelSettings.Of(request.Settings, target);
        var secret = settings.Secret ?? cluster.MasterSecretArn ?? throw new FumidaiException(Reason.SignIn, $"cannot sign in to {target.Name} by the Data API",
            "it signs in with a secret of Secrets Manager, and the cluster has none of its own", "Name one with --secret");
        try
        {
            return new(cluster.Arn, await FindSecretArn.FindAsync(request.Access, secret, cancellationToken).ConfigureAwait(false), database ?? settings.Database ?? cluster.DatabaseName ?? "postgres");
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot find the secret {secret}", Reason.SignIn, "Name another with --secret");
        }
    }

    /// <summary>Reads the server's settings: the first call, so what is wrong with the way shows here.</summary>
    /// <exception cref="FumidaiException">With the reason and the next step.</exception>
    public static async Task<DataApiServer> OpenAsync(string name, DataApiAddress address, DataApiClient client, CancellationToken cancellationToken)
    {
        var server = new DataApiServer();
        try
        {
            using var answer = await client.ExecuteAsync($"SELECT n, pg_catalog.current_setting(n, true) FROM (VALUES ({string.Join("), (", s_settings.Select(SqlParameters.Literal))})) v(n)", [], new(), cancellationToken).ConfigureAwait(false);
            foreach (var row in answer.Texts())
            {
                // What a version does not know has no value.
                if (row[1] is { } value)
                    server.Settings[row[0]!] = value;
            }
            return server;
        }
        catch (SqlFailure failure)
        {
            throw Told(name, address, failure);
        }
    }

    private static FumidaiException Told(string name, DataApiAddress address, SqlFailure failure)
    {
        var what = $"cannot reach {name} by the Data API";
        var api = failure.InnerException as DataApiFailure;
        return (api?.Code, api?.InnerException) switch
        {
            ("HttpEndpointNotEnabledException", _) => new(Reason.NoRoute, what, "it is switched off for this cluster", $"Switch it on: aws rds enable-http-endpoint --resource-arn {address.ResourceArn}", inner: failure),
            ("DatabaseNotFoundException", _) => new(Reason.NoRoute, what, api.Message, inner: failure),
            (_, AwsFailure { Kind: AwsFailureKind.Permission or AwsFailureKind.Credentials } refused) => refused.ToFumidai(what),
            _ when failure.Code.StartsWith("28", StringComparison.Ordinal) => new(Reason.SignIn, what, failure.Message, "Name another secret with --secret", inner: failure),
            _ when failure.Code.StartsWith("3D", StringComparison.Ordinal) => new(Reason.NotFound, what, failure.Message, "Name another with --database", inner: failure),
            _ => new(Reason.NoRoute, what, failure.Message, inner: failure),
        };
    }
}
