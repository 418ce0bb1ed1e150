using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Fumidai.Aws;
using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>One TCP connection to a bastion's sshd through an EC2 Instance Connect Endpoint: a presigned websocket (aws-facts §6.1).</summary>
internal sealed class EiceTunnel(TunnelRequest request, BastionInstance bastion, ConnectEndpoint endpoint)
{
    /// <summary>sshd's address inside the VPC. The endpoint takes no other port.</summary>
    internal IPEndPoint Address { get; } = new(bastion.PrivateAddress ?? IPAddress.None, RouteSurvey.EicePort);

    /// <summary>How long it lives at most.</summary>
    internal TimeSpan Life => request.Settings.EiceDuration ?? OpenConnectTunnel.MaxDuration;

    /// <exception cref="FumidaiException">The endpoint refused, with its words, or could not be reached.</exception>
    internal async Task<RouteChannel> OpenAsync(CancellationToken cancellationToken)
    {
        var what = $"cannot open a tunnel through {endpoint.Id} to {bastion.Id}";
        try
        {
            var url = await OpenConnectTunnel.SignAsync(request.Access, endpoint, Address.Address, Address.Port, request.Settings.EiceDuration, cancellationToken).ConfigureAwait(false);
            var settings = new SocketSettings { Proxy = request.Access.Proxy, Roots = request.Access.Roots };
            var socket = await BatchedWebSocket.ConnectAsync(url, [], settings, request.Time, cancellationToken).ConfigureAwait(false);
            return new WebSocketChannel(socket, $"the tunnel through {endpoint.Id} to {bastion.Id} was closed");
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai(what, Reason.NoRoute);
        }
        catch (Exception e) when (e is WebSocketException or TimeoutException or HttpRequestException)
        {
            throw Explain(e, what);
        }
    }

    private static FumidaiException Explain(Exception e, string what) => e.Data["HttpStatus"] switch
    {
        401 or 403 => new FumidaiException(
            Reason.AwsAccess, what, "the service refused it (HTTP 403)", "The identity in use needs the permission ec2-instance-connect:OpenTunnel on the endpoint; if its condition limits maxTunnelDuration, say so in fumidai.yaml (routes: {eice_duration: …})", inner: e),
        int status => new FumidaiException(
            Reason.NoRoute, what, string.Create(CultureInfo.InvariantCulture, $"the service refused it (HTTP {status})"),
            "An endpoint carries 20 connections at a time, to port 22 of instances that its security group lets it reach", retry: true, e),
        _ => new FumidaiException(Reason.NoRoute, what, e.Message, "Is the endpoint's name reachable from here, and through the proxy?", retry: true, e),
    };
}
