namespace Fumidai.Aws;

/// <summary>Where a subnet's default route leads.</summary>
public enum WayOut
{
    /// <summary>Nowhere: only the VPC is reached.</summary>
    None,
    /// <summary>An internet gateway: what stands there with a public address is on the internet.</summary>
    Internet,
    /// <summary>A NAT gateway or instance.</summary>
    Nat,
    /// <summary>Elsewhere: a transit gateway, a peering, a firewall.</summary>
    Other,
}

/// <summary>A VPC with what matters to who builds in it.</summary>
/// <param name="Id">VPC id.</param>
/// <param name="Cidrs">Its IPv4 ranges.</param>
/// <param name="Tags">Its tags.</param>
public sealed record Vpc(string Id, IReadOnlyList<string> Cidrs, IReadOnlyDictionary<string, string> Tags);

/// <summary>A subnet.</summary>
/// <param name="Id">Subnet id.</param>
/// <param name="VpcId">Its VPC.</param>
/// <param name="Zone">Availability zone.</param>
/// <param name="Cidr">IPv4 range.</param>
/// <param name="WayOut">Where its default route leads.</param>
/// <param name="RouteTableId">Its own or its VPC's main route table; null: not told.</param>
public sealed record VpcSubnet(string Id, string VpcId, string Zone, string Cidr, WayOut WayOut, string? RouteTableId);

/// <summary>A VPC endpoint.</summary>
/// <param name="Id">Endpoint id.</param>
/// <param name="Service">Last part of the service's name, e.g. <c>ssmmessages</c>.</param>
/// <param name="IsGateway">A gateway endpoint rather than an interface.</param>
/// <param name="HasPrivateDns">Whether the service's usual name means this endpoint.</param>
/// <param name="State">As AWS says it, in lower case.</param>
/// <param name="Tags">Its tags.</param>
public sealed record VpcEndpoint(string Id, string Service, bool IsGateway, bool HasPrivateDns, string State, IReadOnlyDictionary<string, string> Tags);
