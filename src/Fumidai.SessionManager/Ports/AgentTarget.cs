using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Fumidai.SessionManager;

/// <summary>Where a session's connections go: addresses resolved once, when the session starts; a changed name needs a new session (protocol §5.4).</summary>
internal sealed class AgentTarget
{
    /// <summary>Instance metadata, name service, time service, container credentials (protocol §5.4).</summary>
    private static readonly HashSet<IPAddress> AlwaysForbidden = [.. new[]
    {
        "169.254.169.254", "169.254.169.253", "169.254.169.123", "169.254.169.250", "169.254.169.251",
        "fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::123", "fd00:ec2::240",
    }.Select(IPAddress.Parse)];

    private readonly IAgentNetwork _network;
    private readonly IReadOnlyList<IPAddress>? _addresses;
    private readonly int _port;

    private AgentTarget(IAgentNetwork network, IReadOnlyList<IPAddress>? addresses, int port)
        => (_network, _addresses, _port) = (network, addresses, port);

    /// <summary>Checks the properties as the agent does at session start.</summary>
    /// <exception cref="AgentRefusalException">The session fails with this text.</exception>
    public static async Task<AgentTarget> FindAsync(AgentSessionOptions options, CancellationToken cancellationToken)
    {
        var portText = options.Properties.GetValueOrDefault(PortProperties.PortNumber, "");
        if (portText.Length == 0)
            throw new AgentRefusalException($"Port number is empty in session properties. {GoMap(options.Properties)}");
        if (!int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > ushort.MaxValue)
            throw new AgentRefusalException($"Unable to connect to specified port: dial tcp: address {portText}: invalid port");

        var host = options.Properties.GetValueOrDefault(PortProperties.Host, "");
        if (host.Length == 0) return new AgentTarget(options.Network, null, port);

        IReadOnlyList<IPAddress> addresses;
        try
        {
            addresses = await ResolveAsync(options.Network, host, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            throw new AgentRefusalException(DialError.Lookup(host, failure));
        }
        if (addresses.Any(address => AlwaysForbidden.Contains(address) || options.IsForbidden(address)))
            throw new AgentRefusalException($"Forwarding to IP address {host} is forbidden.");
        return new AgentTarget(options.Network, addresses, port);
    }

    /// <summary>Dials the addresses in order; no timeout of its own. The first error is the one reported.</summary>
    /// <exception cref="DialException">None answered.</exception>
    public async Task<Socket> DialAsync(CancellationToken cancellationToken)
    {
        DialException? first = null;
        foreach (var address in await AddressesAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                var socket = await _network.ConnectAsync(address, _port, cancellationToken).ConfigureAwait(false);
                if (socket.ProtocolType == ProtocolType.Tcp) socket.NoDelay = true;
                return socket;
            }
            catch (SocketException failure)
            {
                first ??= new DialException(DialError.Connect(new IPEndPoint(address, _port), failure));
            }
        }
        throw first ?? new DialException("dial tcp: no address");
    }

    // Without a host it is the agent's own machine, looked up for each connection.
    private async ValueTask<IReadOnlyList<IPAddress>> AddressesAsync(CancellationToken cancellationToken)
    {
        if (_addresses is not null) return _addresses;
        try
        {
            return await ResolveAsync(_network, "localhost", cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException failure)
        {
            throw new DialException($"dial tcp: {DialError.Lookup("localhost", failure)}");
        }
    }

    private static ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(IAgentNetwork network, string host, CancellationToken cancellationToken)
        => IPAddress.TryParse(host, out var address) ? ValueTask.FromResult<IReadOnlyList<IPAddress>>([address]) : network.ResolveAsync(host, cancellationToken);

    private static string GoMap(IReadOnlyDictionary<string, string> properties)
        => $"map[{string.Join(' ', properties.OrderBy(property => property.Key, StringComparer.Ordinal).Select(property => $"{property.Key}:{property.Value}"))}]";
}

/// <summary>The session cannot be served; the message is the agent's own text for the user.</summary>
internal sealed class AgentRefusalException(string message) : Exception(message);

/// <summary>A connection could not be made; the message is what Go's dialler would say.</summary>
internal sealed class DialException(string message) : Exception(message);
