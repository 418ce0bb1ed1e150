using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What the program ends with (docs/cli.md, “Exit codes”). One table; everything that fails passes through <see cref="Of"/>.</summary>
internal static class ExitCodes
{
    internal const int Success = 0;
    internal const int Failed = (int)Reason.Failed;
    internal const int Usage = (int)Reason.Usage;
    internal const int Configuration = (int)Reason.Configuration;
    internal const int AwsAccess = (int)Reason.AwsAccess;
    internal const int NotFound = (int)Reason.NotFound;
    internal const int NoRoute = (int)Reason.NoRoute;
    internal const int RouteLost = (int)Reason.RouteLost;
    internal const int SignIn = (int)Reason.SignIn;
    internal const int HungUp = 128 + 1;
    internal const int Interrupted = 128 + 2;
    internal const int Terminated = 128 + 15;

    /// <summary>The code of a failure that leaves the library.</summary>
    internal static int Of(Exception failure) => failure switch
    {
        FumidaiException e => (int)e.Reason,
        StackFailure { Reason: StackFailureReason.Usage } => Usage,
        StackFailure { Reason: StackFailureReason.NotFound } => NotFound,
        StackFailure { Reason: StackFailureReason.Permission } => AwsAccess,
        AwsFailure { Kind: AwsFailureKind.Credentials or AwsFailureKind.Permission } => AwsAccess,
        AwsFailure { Kind: AwsFailureKind.Configuration } => Configuration,
        AwsFailure { Kind: AwsFailureKind.NotFound } => NotFound,
        _ => Failed,
    };
}
