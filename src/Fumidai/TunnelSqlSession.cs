using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>SQL through a tunnel, TLS verified to the endpoint's real name.</summary>
internal sealed class TunnelSqlSession(Tunnel tunnel, QueryConnection connection) : SqlSession
{
    private readonly Dictionary<uint, PostgresType> _types = [];

    public static async Task<SqlSession> OpenAsync(TunnelRequest request, CancellationToken cancellationToken)
    {
        if (!request.Target.IsPostgres)
            throw new FumidaiException(Reason.Usage, $"cannot run SQL on {request.Target.Name}", "it does not speak PostgreSQL");
        var tunnel = await Tunnel.OpenAsync(request, cancellationToken).ConfigureAwait(false);
        Socket? socket = null;
        try
        {
            var settings = request.Settings;
            var signIn = await SignIn.PrepareAsync(request, tunnel.Local, settings.Environment, cancellationToken).ConfigureAwait(false);
            var password = signIn.Password?.Reveal() ?? settings.Environment("PGPASSWORD") ?? throw new FumidaiException(Reason.SignIn, $"cannot sign in to {request.Target.Name}",
                "no password is known", "Name a secret with --secret, or set PGPASSWORD");
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(signIn.Variables["PGSSLROOTCERT"]);
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(tunnel.Local, cancellationToken).ConfigureAwait(false);
            var tls = await ServerTls.OpenAsync(new NetworkStream(socket, ownsSocket: true), new(request.Target.Address.Host, roots), cancellationToken).ConfigureAwait(false);
            var user = signIn.Variables.GetValueOrDefault("PGUSER") ?? throw new FumidaiException(Reason.SignIn, $"cannot sign in to {request.Target.Name}", "no user is known", "Name one with --user");
            var startup = StartupMessage.Of(0x00030000, ("user", user), ("database", signIn.Variables.GetValueOrDefault("PGDATABASE") ?? user), ("application_name", "fumidai sql"), ("client_encoding", "UTF8"));
            var server = await ServerSignIn.RunAsync(tls, startup, Encoding.UTF8.GetBytes(password), allowMd5: false, cancellationToken).ConfigureAwait(false);
            await server.GreetingAsync(static key => key, cancellationToken).ConfigureAwait(false);
            var connection = new QueryConnection(tls);
            await connection.ReadyAsync(cancellationToken).ConfigureAwait(false);
            return new TunnelSqlSession(tunnel, connection);
        }
        catch (Exception e)
        {
            socket?.Dispose();
            await tunnel.DisposeAsync().ConfigureAwait(false);
            var what = $"cannot sign in to {request.Target.Name}";
            throw e switch
            {
                ServerRefusedException or ServerTlsException or SqlErrorException => new FumidaiException(Reason.SignIn, what, e.Message, inner: e),
                PostgresProtocolException or IOException or SocketException => new FumidaiException(Reason.RouteLost, what, e.Message, retry: true, inner: e),
                _ => e,
            };
        }
    }

    public override async Task<string> RunAsync(string sql, IResultRows rows, CancellationToken cancellationToken)
    {
        var taken = new Rows();
        try
        {
            var tag = await connection.QueryAsync(sql, [], taken, cancellationToken).ConfigureAwait(false);
            if (taken.Columns is { } columns)
            {
                await rows.BeginAsync(await DescribeAsync(columns, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                foreach (var row in taken.All)
                    await rows.AddAsync(row, cancellationToken).ConfigureAwait(false);
            }
            return tag;
        }
        catch (SqlErrorException e)
        {
            throw new SqlFailure(e.Code, e.Message, e) { Severity = e.Severity, Detail = e['D'], Hint = e['H'], Position = int.TryParse(e['P'], System.Globalization.CultureInfo.InvariantCulture, out var at) ? at : null };
        }
        catch (Exception e) when (e is PostgresProtocolException or IOException)
        {
            throw new SqlFailure("08006", $"the connection was lost: {e.Message}", e);
        }
    }

    private async Task<IReadOnlyList<ResultColumn>> DescribeAsync(IReadOnlyList<QueryColumn> columns, CancellationToken cancellationToken)
    {
        var unknown = columns.Select(c => c.TypeOid).Where(oid => PostgresTypes.BuiltIn(oid) is null && !_types.ContainsKey(oid)).Distinct().ToList();
        if (unknown.Count > 0 && connection.Status != 'E')
        {
            var names = new Rows();
            await connection.QueryAsync($"SELECT oid, typname FROM pg_catalog.pg_type WHERE oid IN ({string.Join(", ", unknown)})", [], names, cancellationToken).ConfigureAwait(false);
            foreach (var row in names.All)
                _types[uint.Parse(row[0]!, System.Globalization.CultureInfo.InvariantCulture)] = new(row[1]!, uint.Parse(row[0]!, System.Globalization.CultureInfo.InvariantCulture), -1);
        }
        return [.. columns.Select(c => new ResultColumn(c.Name, PostgresTypes.BuiltIn(c.TypeOid) ?? _types.GetValueOrDefault(c.TypeOid) ?? PostgresType.Text, c.TypeModifier))];
    }

    public override async ValueTask DisposeAsync()
    {
        await connection.DisposeAsync().ConfigureAwait(false);
        await tunnel.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class Rows : IQueryRows
    {
        public IReadOnlyList<QueryColumn>? Columns { get; private set; }

        public List<string?[]> All { get; } = [];

        public void Begin(IReadOnlyList<QueryColumn> columns) => Columns = columns;

        public void Add(IReadOnlyList<ReadOnlyMemory<byte>?> values) => All.Add([.. values.Select(v => v is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null)]);
    }
}
