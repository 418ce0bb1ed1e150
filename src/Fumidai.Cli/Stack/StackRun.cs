using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What the verbs about stacks have at hand, and the questions that several of them ask.</summary>
/// <param name="Run">The run.</param>
/// <param name="Settings">Settings.</param>
/// <param name="Access">Account and region.</param>
internal sealed record StackRun(Run Run, Settings Settings, AwsAccess Access)
{
    internal Screen Screen => Run.Screen;

    internal CancellationToken Token => Run.Stop.Token;

    internal string Region => Access.Region;

    internal TimeProvider Time => Run.Surroundings.Time;

    /// <summary>The file that names targets: the one that was read, else one in the working directory.</summary>
    internal TargetsFile Targets => new(Settings.File ?? Path.Combine(Run.Surroundings.WorkingDirectory, "fumidai.yaml"));

    /// <summary>A stack as it is; null: there is none.</summary>
    /// <exception cref="StackFailure">Usage: it is not ours.</exception>
    internal async Task<StackStatus?> FindAsync(string name)
    {
        try
        {
            return await StackStatus.ReadAsync(Access, name, Token);
        }
        catch (StackFailure f) when (f.Reason == StackFailureReason.NotFound)
        {
            return null;
        }
    }

    /// <summary>Whose account it is.</summary>
    internal async Task<string> AccountAsync() => (await AskCallerIdentity.AskAsync(Access, Token)).Account;

    /// <summary>Our address as AWS will see it.</summary>
    internal async Task<System.Net.IPAddress> OwnAddressAsync()
    {
        Screen.Waiting($"Asking {Settings.MyIpUrl.Host} for your address");
        return await AskOwnAddress.AskAsync(Access, Settings.MyIpUrl, Token);
    }

    /// <summary>Options that a later command needs in order to ask the same account and region as this one.</summary>
    /// <param name="knowsRegion">Whether the settings file says region and profile.</param>
    internal string SameAccount(bool knowsRegion)
    {
        var line = Settings.CommandLine;
        (string Option, string? Value)[] all =
        [
            ("--profile", knowsRegion ? null : line.Profile),
            ("--region", knowsRegion ? null : line.Region),
            ("--endpoint-url", line.EndpointUrl),
            ("--config", line.Config),
        ];
        return string.Concat(all.Where(o => o.Value is not null).Select(o => $" {o.Option} {Exports.Quoted(o.Value!)}"));
    }

    /// <summary>Takes changes back that were not carried out, even when the user has had enough.</summary>
    internal async Task WithdrawAsync(StackDeployment deployment, ProposedChanges changes)
    {
        Screen.Waiting("Removing the change set");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), Time);
        await deployment.WithdrawAsync(changes, limit.Token);
        Screen.Waiting(null);
    }
}
