using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Fumidai.Aws;
using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>A byte stream to a bastion's sshd through a Session Manager session of the document that accounts allow for ssh alone.</summary>
internal sealed class SshSession(TunnelRequest request, BastionInstance bastion, int? port)
{
    internal const string Document = "AWS-StartSSHSession";

    /// <summary>sshd's address inside the VPC. A tag names a translation on the way to the public address; inside it is 22 unless the settings say otherwise.</summary>
    internal IPEndPoint Address { get; } = new(bastion.PrivateAddress ?? IPAddress.Loopback, port ?? 22);

    /// <exception cref="FumidaiException">With AWS's or the agent's words.</exception>
    internal async Task<RouteChannel> OpenAsync(CancellationToken cancellationToken)
    {
        var what = $"cannot start an ssh session on {bastion.Id}";
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal) { ["portNumber"] = Address.Port.ToString(CultureInfo.InvariantCulture) };
        var control = SessionCalls.Control(request.Access);
        StreamTicket? ticket = null;
        PortClient? client = null;
        try
        {
            ticket = await SessionCalls.StartAsync(request.Access, bastion.Id, Document, parameters, $"fumidai {request.Target.Name}", cancellationToken).ConfigureAwait(false);
            var options = new PortClientOptions
            {
                Time = request.Time,
                Logger = request.LoggerFactory?.CreateLogger("Fumidai.SessionManager"),
                Socket = new SocketSettings { Proxy = request.Access.Proxy, Roots = request.Access.Roots },
            };
            client = await PortClient.StartAsync(ticket, control, options, cancellationToken).ConfigureAwait(false);
            return new SessionChannel(client, await client.OpenStreamAsync(cancellationToken).ConfigureAwait(false), $"the ssh session on {bastion.Id} is over");
        }
        catch (Exception e)
        {
            if (client is not null)
                await client.DisposeAsync().ConfigureAwait(false);
            else if (ticket is not null)
                await StartPortSession.TerminateAsync(control, ticket.SessionId, request.Time).ConfigureAwait(false);
            throw e switch
            {
                OperationCanceledException => e,
                AwsFailure failure => failure.ToFumidai(what, Reason.NoRoute),
                _ => StartPortSession.Explain(e, what),
            };
        }
    }

    /// <summary>The one stream of such a session; its end is the session's.</summary>
    private sealed class SessionChannel : RouteChannel
    {
        private readonly PortClient _client;
        private readonly PortStream _stream;

        internal SessionChannel(PortClient client, PortStream stream, string what)
        {
            (_client, _stream) = (client, stream);
            Ended = EndAsync(what);
        }

        public override PipeReader Input => _stream.Input;

        public override PipeWriter Output => _stream.Output;

        public override Task<Exception?> Ended { get; }

        public override void Abort(Exception reason) => _stream.Abort(reason);

        public override async ValueTask DisposeAsync()
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
            await _client.DisposeAsync().ConfigureAwait(false);
        }

        private async Task<Exception?> EndAsync(string what) =>
            await _stream.Ended.ConfigureAwait(false) is { } reason
                ? reason is OperationCanceledException ? reason : StartPortSession.Explain(reason, what)
                : null;
    }
}
