using System.Globalization;
using Npgsql;

namespace Fumidai.Npgsql;

/// <summary>Data sources over a tunnel.</summary>
public static class TunnelDataSource
{
    /// <summary>
    /// A data source for the tunnel's database. TLS is verified to the database's real name though the socket is local; the password is asked
    /// for whenever a physical connection is opened, so that rotated secrets and ended tokens need no restart. Dispose it before the tunnel.
    /// </summary>
    /// <param name="tunnel">An open tunnel to a PostgreSQL database.</param>
    /// <param name="configure">The rest: pool sizes, type mappings, logging. What is set here already may be overruled, the password provider excepted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FumidaiException">The login could not be read, with the reason and the next step; or the target is no PostgreSQL.</exception>
    public static async Task<NpgsqlDataSource> CreateDataSourceAsync(this Tunnel tunnel, Action<NpgsqlDataSourceBuilder>? configure = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tunnel);
        if (tunnel.Target.Database is { IsPostgres: false } other)
            throw new FumidaiException(Reason.Usage, $"cannot make a data source of {tunnel.Target.Name}", $"its engine is {other.Engine}", "Connect its own client to the tunnel's local end point");
        var login = await tunnel.SignInAsync(cancellationToken).ConfigureAwait(false);
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = tunnel.Local.Address.ToString(),
            Port = tunnel.Local.Port,
            Username = login.Variables.GetValueOrDefault("PGUSER"),
            Database = login.Variables.GetValueOrDefault("PGDATABASE"),
            SslMode = SslMode.VerifyFull,
            RootCertificate = login.Variables["PGSSLROOTCERT"],
            // Nothing in a VPC answers Kerberos; asking would cost a refused round trip.
            GssEncryptionMode = GssEncryptionMode.Disable,
            Timeout = int.Parse(login.Variables["PGCONNECT_TIMEOUT"], CultureInfo.InvariantCulture),
        };
        var builder = new NpgsqlDataSourceBuilder(text.ConnectionString);
        // Npgsql would check the certificate against the local address.
        var realName = login.Variables["PGHOST"];
        builder.UseSslClientAuthenticationOptionsCallback(tls => tls.TargetHost = realName);
        if (login.Password is not null)
        {
            var password = new CurrentPassword(login, tunnel.SignInAsync, TimeProvider.System);
            builder.UsePasswordProvider(_ => password.Get(), (_, token) => password.GetAsync(token));
        }
        configure?.Invoke(builder);
        return builder.Build();
    }
}
