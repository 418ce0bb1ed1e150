using System.Runtime.CompilerServices;
using Renci.SshNet;
using Renci.SshNet.Messages;
using Renci.SshNet.Messages.Connection;

namespace Fumidai;

/// <summary>
/// The one place that reaches past SSH.NET's public surface. Its only way to a direct-tcpip channel is a second local listener that blocks a
/// thread per connection, stalls every channel behind one slow reader and has no half-close. But it shows each session (to an authentication
/// method), each message and each arrival in public; only sending is internal. With that one method the channels are ours
/// (<see cref="SshConnection"/>). Bound to the package version pinned in Directory.Packages.props; SshRouteTests fail if a new one differs.
/// </summary>
internal static class SshWire
{
    /// <summary>Sends one message. Blocks while the socket is full or keys are being exchanged: never call it from an arrival.</summary>
    internal static void Send(Session session, Message message) => SendMessage(session, message);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "SendMessage")]
    private static extern void SendMessage(Session session, Message message);

    /// <summary>
    /// A global request that every server must answer, if only by refusing it: the way OpenSSH too asks whether the other end still lives.
    /// The message's own constructor is internal; its bytes are name, then "want reply".
    /// </summary>
    internal static Message KeepAlive()
    {
        var message = new GlobalRequestMessage();
        message.Load([0, 0, 0, 21, .. "keepalive@openssh.com"u8, 1]);
        return message;
    }
}

/// <summary>The body of SSH_MSG_CHANNEL_OPEN "direct-tcpip" (RFC 4254 §7.2).</summary>
internal sealed class DirectTcpip(HostPort destination) : ChannelOpenInfo
{
    public override string ChannelType => "direct-tcpip";

    protected override void SaveData()
    {
        Write(destination.Host, System.Text.Encoding.UTF8);
        Write((uint)destination.Port);
        // Where the connection came from is for the server's log only; one's own addresses are not its business.
        Write("127.0.0.1", System.Text.Encoding.ASCII);
        Write(0u);
    }
}

/// <summary>Public-key authentication that also hands out the session it is given.</summary>
internal sealed class SessionAuthentication(string user, IPrivateKeySource[] keys) : PrivateKeyAuthenticationMethod(user, keys)
{
    internal Session? Session { get; private set; }

    public override AuthenticationResult Authenticate(Session session)
    {
        Session = session;
        return base.Authenticate(session);
    }
}
