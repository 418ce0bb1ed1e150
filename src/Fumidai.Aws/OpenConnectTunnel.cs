using System.Globalization;
using System.Net;

namespace Fumidai.Aws;

/// <summary>OpenTunnel of an EC2 Instance Connect Endpoint: a presigned websocket for one TCP connection (aws-facts §6.1).</summary>
public static class OpenConnectTunnel
{
    /// <summary>How long a TCP connection through an endpoint lives at most.</summary>
    public static readonly TimeSpan MaxDuration = TimeSpan.FromHours(1);

    /// <summary>How long the signature is good for; the handshake must be over by then.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    /// <summary>The URL of the websocket, signed now. It is a credential for a minute: never log it.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="address">The instance's private address.</param>
    /// <param name="port">22 or 3389; the service takes no other.</param>
    /// <param name="duration">How long it may live at most, for policies with a condition on it; null: not said, <see cref="MaxDuration"/>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="AwsFailure">No credentials.</exception>
    public static async Task<string> SignAsync(AwsAccess access, ConnectEndpoint endpoint, IPAddress address, int port, TimeSpan? duration, CancellationToken cancellationToken)
    {
        var keys = await access.AskAsync(AwsService.InstanceConnect, "OpenTunnel", _ => access.Credentials.GetCredentialsAsync(), cancellationToken).ConfigureAwait(false);
        var url = string.Create(
            CultureInfo.InvariantCulture,
            $"wss://{endpoint.DnsName}/openTunnel?instanceConnectEndpointId={endpoint.Id}{(duration is { } time ? $"&maxTunnelDuration={(int)time.TotalSeconds}" : "")}&privateIpAddress={Uri.EscapeDataString(address.ToString())}&remotePort={port}");
        return SignWebSocket.Presign(url, keys, access.Region, "ec2-instance-connect", access.Time.GetUtcNow() + access.ClockCorrection, Lifetime);
    }
}
