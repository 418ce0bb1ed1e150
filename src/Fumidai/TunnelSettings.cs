namespace Fumidai;

/// <summary>What holds for one tunnel: each value from the command line, else the environment, else the target's entry, else the file's top level.</summary>
internal sealed record TunnelSettings
{
    internal required string Via { get; init; }
    internal string? Bastion { get; init; }
    internal string? BastionUser { get; init; }
    internal int? BastionPort { get; init; }
    /// <summary>0: any free port.</summary>
    internal required int Port { get; init; }
    internal string? Identity { get; init; }
    /// <summary>Null: the route's default.</summary>
    internal int? Sessions { get; init; }
    internal string? Secret { get; init; }
    internal string? Database { get; init; }
    internal string? User { get; init; }
    internal string? CaFile { get; init; }
    /// <summary>auto, iam or secret.</summary>
    internal required string Auth { get; init; }
    internal bool AllowMd5 { get; init; }

    internal static TunnelSettings Of(Settings settings, Target target)
    {
        var (line, variables, entry, top) = (settings.CommandLine, settings.FromEnvironment, target.Settings, settings.Defaults);
        return new TunnelSettings
        {
            Via = line.Via ?? variables.Via ?? entry?.Via ?? top?.Via ?? "auto",
            Bastion = line.Bastion ?? variables.Bastion ?? entry?.Bastion ?? top?.Bastion,
            BastionUser = entry?.BastionUser ?? top?.BastionUser,
            BastionPort = entry?.BastionPort ?? top?.BastionPort,
            Port = line.Port ?? variables.Port ?? entry?.Port ?? 0,
            Sessions = line.Sessions ?? variables.Sessions ?? entry?.Sessions ?? top?.Sessions,
            Identity = line.Identity ?? variables.Identity ?? entry?.Identity ?? top?.Identity,
            Secret = line.Secret ?? variables.Secret ?? entry?.Secret ?? top?.Secret,
            Database = line.Database ?? variables.Database ?? entry?.Database ?? top?.Database,
            User = line.User ?? variables.User ?? entry?.User ?? top?.User,
            Auth = line.Auth ?? variables.Auth ?? entry?.Auth ?? "auto",
            AllowMd5 = line.AllowMd5,
            CaFile = line.CaFile ?? variables.CaFile ?? entry?.CaFile ?? top?.CaFile,
        };
    }
}
