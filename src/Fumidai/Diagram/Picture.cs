namespace Fumidai;

/// <summary>What a part of the picture is.</summary>
public enum PartKind
{
    /// <summary>This machine.</summary>
    Laptop,
    /// <summary>AWS's own service, outside the VPC.</summary>
    Service,
    /// <summary>Internet gateway.</summary>
    Gateway,
    /// <summary>Interface or gateway endpoints of one subnet, an Instance Connect Endpoint, or a NAT gateway: how the bastion is reached, or reaches out.</summary>
    Door,
    /// <summary>Bastion.</summary>
    Bastion,
    /// <summary>The target.</summary>
    Database,
}

/// <summary>A thing in the picture.</summary>
/// <param name="Id">Unique in the picture.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Title">What to call it.</param>
/// <param name="Details">More, one short line each.</param>
/// <param name="Doors">What its security groups let in, one line a group.</param>
/// <param name="State">Doctor's verdict; null: no route goes through it.</param>
/// <param name="Usd">What it costs a month; null: nothing, or <see cref="IsCostUnknown"/>.</param>
public sealed record PicturePart(string Id, PartKind Kind, string Title, IReadOnlyList<string> Details, IReadOnlyList<string> Doors, HopState? State, decimal? Usd)
{
    /// <summary>Whether it is paid for, and nobody knows how much.</summary>
    public bool IsCostUnknown { get; init; }

    /// <summary>The cost as it is written; null: nothing to write.</summary>
    public string? Cost => IsCostUnknown ? "price not known" : Usd is { } usd ? FormattableString.Invariant($"{usd:0.00} USD a month") : null;
}

/// <summary>A subnet with what stands in it.</summary>
/// <param name="Id">subnet-…</param>
/// <param name="Label">Name, range and whether it is public.</param>
/// <param name="Parts">What stands there.</param>
public sealed record PictureSubnet(string Id, string Label, IReadOnlyList<PicturePart> Parts);

/// <summary>A zone with its subnets.</summary>
/// <param name="Name">E.g. ap-northeast-1a.</param>
/// <param name="Subnets">Those that matter to the path.</param>
public sealed record PictureZone(string Name, IReadOnlyList<PictureSubnet> Subnets);

/// <summary>A piece of a route.</summary>
/// <param name="Route">ssm, ssh, eice.</param>
/// <param name="From">Part it leaves.</param>
/// <param name="To">Part it reaches.</param>
/// <param name="State">Doctor's verdict on it.</param>
public sealed record PictureLink(string Route, string From, string To, HopState State);

/// <summary>
/// The topology as it is, ready to be drawn in any form: the same facts and the same verdicts as doctor's, and nothing asked of AWS. Left out is what no
/// route could need; how much that is stands in <see cref="LeftOut"/>.
/// </summary>
public sealed record Picture
{
    /// <summary>What it shows.</summary>
    public required string Title { get; init; }
    /// <summary>The VPC's name and ranges.</summary>
    public required string Vpc { get; init; }
    /// <summary>This machine.</summary>
    public required PicturePart Laptop { get; init; }
    /// <summary>Between laptop and VPC: AWS's service, the internet gateway.</summary>
    public required IReadOnlyList<PicturePart> Internet { get; init; }
    /// <summary>Zones with subnets and what stands in them.</summary>
    public required IReadOnlyList<PictureZone> Zones { get; init; }
    /// <summary>The routes, piece by piece, in their order.</summary>
    public required IReadOnlyList<PictureLink> Links { get; init; }
    /// <summary>A sentence about each route.</summary>
    public required IReadOnlyList<(bool Works, string Sentence)> Verdicts { get; init; }
    /// <summary>What was left out, in words; null: nothing.</summary>
    public string? LeftOut { get; init; }

    /// <summary>Every part.</summary>
    public IEnumerable<PicturePart> Parts => [Laptop, .. Internet, .. Zones.SelectMany(z => z.Subnets).SelectMany(s => s.Parts)];

    /// <summary>The sum of what is known, in USD a month.</summary>
    public decimal KnownUsd => Parts.Sum(p => p.Usd ?? 0);

    /// <summary>The sum in words.</summary>
    public string CostSentence => FormattableString.Invariant($"{(Parts.Any(p => p.IsCostUnknown) ? "at least " : "")}{KnownUsd:0.00} USD a month as drawn, all of it at every hour");

    /// <summary>Draws up the picture.</summary>
    /// <param name="topology">What is there.</param>
    /// <param name="routes">Doctor's verdicts.</param>
    /// <param name="usd">USD a month by id: of an endpoint in one zone, a NAT gateway, an instance, the target's name; null: not known. What is not in it is free.</param>
    public static Picture Of(Topology topology, IReadOnlyList<RouteDiagnosis> routes, IReadOnlyDictionary<string, decimal?> usd)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(usd);
        return new PictureBuilding(topology, routes, usd).Build();
    }
}
