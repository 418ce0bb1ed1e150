using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Fumidai;

/// <summary>Logs in to one bastion: connects, checks its host key, authenticates.</summary>
internal sealed class SshLogin(string instanceId, IPEndPoint address, string user, SshIdentity identity, KnownHosts hosts, Action<string, string> learned, TimeProvider time, Func<CancellationToken, Task<RouteChannel>>? carrier = null)
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(15);

    /// <exception cref="FumidaiException">NoRoute: not reached, host key refused, login refused.</exception>
    internal async Task<SshConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        // Before the key is pushed: a changed host key must stop us before anything is done for this machine.
        var check = new HostKeyCheck(hosts, instanceId, address, learned);
        var keys = await identity.KeysAsync(cancellationToken).ConfigureAwait(false);
        var authentication = new SessionAuthentication(user, keys);
        var carried = carrier is null ? null : new SshCarried(await carrier(cancellationToken).ConfigureAwait(false));
        var dialled = carried?.EndPoint ?? address;
        var info = new ConnectionInfo(dialled.Address.ToString(), dialled.Port, user, authentication) { Timeout = ConnectLimit };
        PreferFastCiphers(info);
        PreferKnownHostKeys(info, check.KnownTypes);

        var client = new SshClient(info);
        FumidaiException? refused = null;
        client.HostKeyReceived += (_, e) =>
        {
            refused = check.Judge(KeyType(e.HostKey), e.HostKey);
            e.CanTrust = refused is null;
        };
        try
        {
            // SSH.NET authenticates on the caller's thread.
            await Task.Run(() => client.ConnectAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            return new SshConnection(client, authentication.Session!, instanceId, time, carried);
        }
        catch (Exception e)
        {
            client.Dispose();
            var why = carried?.Why;
            if (carried is not null)
                await carried.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException && cancellationToken.IsCancellationRequested)
                throw;
            throw refused ?? why as FumidaiException ?? Explain(e);
        }
    }

    private FumidaiException Explain(Exception e)
    {
        var what = $"cannot log in to {instanceId} ({address}) as {user}";
        return e switch
        {
            SshAuthenticationException => new FumidaiException(Reason.NoRoute, what, "the server took none of the keys", identity.Advice, inner: e),
            SshOperationTimeoutException or OperationCanceledException or SocketException { SocketErrorCode: SocketError.TimedOut } => new FumidaiException(
                Reason.NoRoute, what, $"no answer within {ConnectLimit.TotalSeconds:0} s",
                "Its security group must admit this address to the port of sshd", retry: true, e),
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new FumidaiException(
                Reason.NoRoute, what, "the connection was refused", "Is sshd running there, and on this port (bastion: port: in fumidai.yaml)?", retry: true, e),
            _ => new FumidaiException(Reason.NoRoute, what, e.Message, retry: e is SocketException or SshConnectionException, inner: e),
        };
    }

    /// <summary>SSH.NET's own first choice costs one and a half times and more of its AES-GCM (dotnet-facts §3).</summary>
    private static void PreferFastCiphers(ConnectionInfo info)
    {
        var place = 0;
        foreach (var cipher in (string[])["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"])
        {
            if (info.Encryptions.ContainsKey(cipher))
                info.Encryptions.SetPosition(cipher, place++);
        }
    }

    private static void PreferKnownHostKeys(ConnectionInfo info, IReadOnlyList<string> types)
    {
        var place = 0;
        foreach (var algorithm in types.SelectMany(t => t == "ssh-rsa" ? (string[])["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [t]))
        {
            if (info.HostKeyAlgorithms.ContainsKey(algorithm))
                info.HostKeyAlgorithms.SetPosition(algorithm, place++);
        }
    }

    /// <summary>A key blob begins with its type as a string.</summary>
    private static string KeyType(byte[] blob)
    {
        var length = blob.Length < 4 ? 0 : (int)BinaryPrimitives.ReadUInt32BigEndian(blob);
        return length is > 0 and < 64 && blob.Length >= 4 + length ? Encoding.ASCII.GetString(blob, 4, length) : "unknown";
    }
}
