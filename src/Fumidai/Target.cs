using Fumidai.Aws;

namespace Fumidai;

/// <summary>Where the user wants to arrive, found and complete.</summary>
public sealed record Target
{
    /// <summary>As the user calls it: a name of fumidai.yaml, or <c>cluster/app</c>, <c>instance/x</c>, <c>host/name:port</c>.</summary>
    public required string Name { get; init; }
    /// <summary>The address inside the VPC.</summary>
    public required HostPort Address { get; init; }
    /// <summary>The database behind it; null for <c>host/…</c>.</summary>
    public Database? Database { get; init; }
    /// <summary>Its entry in fumidai.yaml, if it has one.</summary>
    public TargetSettings? Settings { get; init; }
    /// <summary>Whether it speaks the PostgreSQL protocol (then ready means an answered SSLRequest).</summary>
    public bool IsPostgres => Database?.IsPostgres ?? Address.Port == 5432;
}

/// <summary>One row of <c>fumidai targets</c>.</summary>
/// <param name="Name">How to name it on the command line.</param>
/// <param name="Database">What RDS says.</param>
/// <param name="Routes">Routes open to us now, e.g. <c>ssm i-0abc…</c>; empty: none.</param>
/// <param name="Note">Why no route is open, or null.</param>
public sealed record TargetRow(string Name, Database Database, IReadOnlyList<string> Routes, string? Note);
