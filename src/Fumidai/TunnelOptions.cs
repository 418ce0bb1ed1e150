using Microsoft.Extensions.Logging;

namespace Fumidai;

/// <summary>
/// How <see cref="Tunnel.OpenAsync(string?, TunnelOptions?, CancellationToken)"/> opens. What is null here comes from the <c>FUMIDAI_*</c> and
/// <c>AWS_*</c> variables, then from <c>fumidai.yaml</c>, exactly as for the command (docs/configuration.md).
/// </summary>
public sealed class TunnelOptions
{
    /// <summary>Route: <c>auto</c>, <c>ssm</c>, <c>ssh</c>.</summary>
    public string? Via { get; set; }
    /// <summary>Bastion: <c>i-…</c> or <c>tag:KEY=VALUE</c>; null: one that fits.</summary>
    public string? Bastion { get; set; }
    /// <summary>Local port; 0: any free one; null: the target's entry, else any free one.</summary>
    public int? Port { get; set; }
    /// <summary>Private key file for the ssh route.</summary>
    public string? Identity { get; set; }
    /// <summary>Id or ARN of the secret to sign in to the database with.</summary>
    public string? Secret { get; set; }
    /// <summary>Database user.</summary>
    public string? User { get; set; }
    /// <summary>Database name.</summary>
    public string? Database { get; set; }
    /// <summary>PEM file of roots to trust for the database; null: those of Amazon RDS, which the package brings.</summary>
    public string? CaFile { get; set; }
    /// <summary>AWS profile.</summary>
    public string? Profile { get; set; }
    /// <summary>AWS region.</summary>
    public string? Region { get; set; }
    /// <summary>AWS endpoint for every service.</summary>
    public string? EndpointUrl { get; set; }
    /// <summary>The settings file; null: the nearest <c>fumidai.yaml</c> from the working directory up, else the user's.</summary>
    public string? SettingsFile { get; set; }
    /// <summary>Told of everything worth telling (docs/events.md).</summary>
    public IProgress<TunnelEvent>? Events { get; set; }
    /// <summary>Where to log. Never payload, never secrets.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    internal CommandLineSettings CommandLine => new()
    {
        Via = Via,
        Bastion = Bastion,
        Port = Port,
        Identity = Identity,
        Secret = Secret,
        User = User,
        Database = Database,
        CaFile = CaFile,
        Profile = Profile,
        Region = Region,
        EndpointUrl = EndpointUrl,
        Config = SettingsFile,
    };
}
