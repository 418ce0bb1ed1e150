using System.Net;
using System.Net.Sockets;
using System.Text;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>Whose connection: two calls share one only if all of this agrees.</summary>
internal sealed record DataApiLogin(string ClusterId, string User, string Password, string Database);

/// <summary>One connection to a cluster's real server, signed in with the secret over TLS, as the service holds them.</summary>
internal sealed class DataApiConnection : IAsyncDisposable
{
    private readonly IPEndPoint _server;
    private readonly CancelKey? _cancelKey;

    private DataApiConnection(DataApiLogin login, IPEndPoint server, QueryConnection connection, CancelKey? cancelKey)
    {
        Login = login;
        _server = server;
        Connection = connection;
        _cancelKey = cancelKey;
    }

    public DataApiLogin Login { get; }

    public QueryConnection Connection { get; }

    /// <exception cref="AwsError">The server refuses the login, or is not there.</exception>
    public static async Task<DataApiConnection> OpenAsync(DataApiLogin login, IPEndPoint server, ServerIdentity identity, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            var tls = await ServerTls.OpenAsync(stream, identity, cancellationToken).ConfigureAwait(false);
            stream = tls;
            var startup = StartupMessage.Of(0x00030000, ("user", login.User), ("database", login.Database), ("application_name", "RDS Data API"), ("client_encoding", "UTF8"), ("DateStyle", "ISO"), ("TimeZone", "UTC"));
            var signIn = await ServerSignIn.RunAsync(tls, startup, Encoding.UTF8.GetBytes(login.Password), allowMd5: false, cancellationToken).ConfigureAwait(false);
            var (bytes, stands) = await signIn.GreetingAsync(static key => key, cancellationToken).ConfigureAwait(false);
            if (!stands)
                throw DataApiFailures.Refused(bytes);
            var connection = new QueryConnection(tls);
            await connection.ReadyAsync(cancellationToken).ConfigureAwait(false);
            return new(login, server, connection, signIn.CancelKey);
        }
        catch (Exception e)
        {
            if (stream is not null)
                await stream.DisposeAsync().ConfigureAwait(false);
            socket.Dispose();
            throw e switch
            {
                ServerRefusedException refused => DataApiFailures.Refused(refused.Bytes),
                SocketException or IOException or PostgresProtocolException or ServerTlsException => new AwsError("DatabaseUnavailableException", "The writer instance in the DB cluster isn't available.", 504),
                _ => e,
            };
        }
    }

    /// <summary>Has the server stop what runs.</summary>
    public async Task CancelAsync()
    {
        if (_cancelKey is null)
            return;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(_server).ConfigureAwait(false);
            await socket.SendAsync(_cancelKey.ToRequest()).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // The server is gone, and what ran there with it.
        }
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
