using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Fumidai.Aws;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>A local PostgreSQL endpoint whose other side is the Data API: any client connects to it as to a tunnel, and no network path to the cluster is needed.</summary>
public sealed class DataApiGateway : LocalEndpoint
{
    private readonly DataApiAddress _address;
    private readonly Action<string?> _waiting;
    private readonly ConcurrentDictionary<string, (DataApiClient Client, DataApiServer Server)> _databases = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<CancelKey, DataApiSession> _sessions = new();
    private int _number;

    private DataApiGateway(TunnelRequest request, DataApiAddress address, DataApiClient client, DataApiServer server, Action<string?> waiting, bool trustsLoopback, Func<string, string?> environment)
        : base(request, address.Database!, trustsLoopback, environment)
    {
        (_address, _waiting) = (address, waiting);
        _databases[address.Database!] = (client, server);
        User = server.Settings.GetValueOrDefault("session_authorization") ?? request.Target.Database?.MasterUsername ?? "postgres";
    }

    /// <summary>Whether the settings name the Data API as the way.</summary>
    public static bool IsNamed(TunnelRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return TunnelSettings.Of(request.Settings, request.Target).Via == "data-api";
    }

    /// <summary>Asks the cluster once, so that what is missing is told now and not to the first client.</summary>
    /// <param name="request">The tunnel that will use it.</param>
    /// <param name="environment">Variables.</param>
    /// <param name="trustsLoopback">Whether programs of this machine are let in without a password.</param>
    /// <param name="waiting">Told what is waited for; null: nothing any more.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="FumidaiException">The Data API cannot be used for this target.</exception>
    public static async Task<DataApiGateway> PrepareAsync(TunnelRequest request, Func<string, string?> environment, bool trustsLoopback, Action<string?> waiting, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(environment);
        var database = TunnelSettings.Of(request.Settings, request.Target).Database ?? Given(environment("PGDATABASE"));
        var address = await DataApiTarget.OfAsync(request, database, cancellationToken).ConfigureAwait(false);
        var client = new DataApiClient(request.Access, address, request.Time, waiting);
        var server = await DataApiTarget.OpenAsync(request.Target.Name, address, client, cancellationToken).ConfigureAwait(false);
        return new DataApiGateway(request, address, client, server, waiting, trustsLoopback, environment);
    }

    /// <inheritdoc/>
    public override string User { get; }

    /// <summary>Why the Data API was taken where nobody named it; null: it was asked for.</summary>
    public string? Merit { get; init; }

    private protected override string Source => $"secret {_address.SecretArn}";

    internal override void Tell(IPEndPoint local)
    {
        base.Tell(local);
        Request.Tell("data_api", "Over the Data API the server's notices do not come through; errors do", ("cluster", _address.ResourceArn));
    }

    private protected override Task CancelAsync(CancelKey key, Func<CancellationToken, Task<RouteChannel>> openChannel, CancellationToken stop) =>
        _sessions.TryGetValue(key, out var session) ? session.CancelAsync(stop) : Task.CompletedTask;

    private protected override async Task<CopyResult?> RunAsync(Socket client, NetworkStream stream, StartupMessage startup, Func<CancellationToken, Task<RouteChannel>> openChannel, ChannelNumbers? numbers, CancellationToken stop)
    {
        using var counted = numbers?.CountOpen();
        if (startup["replication"] is { } replication && replication is not ("false" or "off" or "no" or "0"))
        {
            await EndAsync(client, stream, ErrorMessage.Fatal("0A000", "replication is not possible over the Data API"), stop).ConfigureAwait(false);
            return null;
        }
        var key = new CancelKey(Interlocked.Increment(ref _number), RandomNumberGenerator.GetBytes(4));
        GatewayConnection? connection = null;
        try
        {
            try
            {
                var (api, server) = await OpenAsync(startup["database"] ?? startup["user"]!, stop).ConfigureAwait(false);
                connection = new GatewayConnection(stream, api, server);
                _sessions[key] = connection.Session;
                await connection.GreetAsync(startup, key, stop).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SqlFailure or FumidaiException)
            {
                var failure = e as SqlFailure ?? (e as FumidaiException)?.InnerException as SqlFailure;
                await EndAsync(client, stream, ErrorMessage.Fatal(failure?.Code ?? "08001", failure?.Message ?? e.Message, failure?.Hint), stop).ConfigureAwait(false);
                return null;
            }
            await connection.RunAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            _sessions.TryRemove(key, out _);
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
        }
        await FinishAsync(client, stop).ConfigureAwait(false);
        return null;
    }

    private async Task<(DataApiClient Client, DataApiServer Server)> OpenAsync(string database, CancellationToken cancellationToken)
    {
        if (_databases.TryGetValue(database, out var known))
            return known;
        var address = _address with { Database = database };
        var client = new DataApiClient(Request.Access, address, Request.Time, _waiting);
        return _databases[database] = (client, await DataApiTarget.OpenAsync(Request.Target.Name, address, client, cancellationToken).ConfigureAwait(false));
    }
}
