using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai policy --for USE [TARGET]</c>: the minimal IAM policy.</summary>
internal sealed record PolicyCommand(string Use, string? Target, StackChoices Choices, CommandLineSettings Settings, OutputMode Output) : ICommand
{
    private static readonly OptionSpec For = new("--for", "USE", "connect (to a TARGET), up (with the options you will use; also status and down) or bastion", OptionGroup.Stack,
        text => text is "connect" or "up" or "bastion" ? null : "must be connect, up or bastion");

    // The words of up come in as they are; --secret and --database mean the same to connect.
    private static readonly StackWord[] Words = [.. StackWord.All.Where(w => w != StackWord.Secret && w != StackWord.Database && w != StackWord.Tag)];

    internal static readonly VerbSpec Spec = new()
    {
        Name = "policy",
        Summary = "the minimal IAM policy for what you want to do, as JSON",
        Usage = "--for connect|up|bastion [TARGET] [--options]",
        Description = """
            Prints an IAM policy on stdout. For connect: this document, this instance, this secret, and
            one's own sessions only; with --user also rds-db:connect as that user. For up: what a stack
            with these options needs to be built, looked at and taken down. For bastion: what the
            instance's own role needs in place of AmazonSSMManagedInstanceCore. See docs/iam.md.
            """,
        Targets = TargetCount.Optional,
        Options = [For, Options.Via, Options.Bastion, Options.SecretId, Options.User, .. Words.Select(w => w.Option), .. Options.OfAws, Options.Config, .. Options.OfOutput],
        Examples =
        [
            ("fumidai policy --for connect cluster/app", "for who connects to it through Session Manager"),
            ("fumidai policy --for connect app --via ssh --user analyst", "over SSH, signing in with IAM as analyst"),
            ("fumidai policy --for up --pattern both", "for who builds"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        run.Screen.Result(Use switch
        {
            "bastion" => IamPolicies.Bastion(),
            "up" => await ForUpAsync(run),
            _ => await ForConnectAsync(run),
        });
        return ExitCodes.Success;
    }

    private static PolicyCommand Create(Typed typed)
    {
        var use = typed.Value(For) ?? throw new FumidaiException(Reason.Usage, "policy needs --for", next: "Say --for connect, --for up or --for bastion");
        var target = typed.Targets is [var only] ? only : null;
        if (use != "connect" && target is not null)
            throw new FumidaiException(Reason.Usage, $"--for {use} takes no TARGET", next: "A TARGET goes with --for connect");
        OptionSpec[] ofConnect = [Options.Via, Options.Bastion, Options.SecretId, Options.User];
        if (use != "connect" && Array.Find(ofConnect, typed.Has) is { } wrong)
            throw new FumidaiException(Reason.Usage, $"{wrong.Name} does not go with --for {use}", next: "It goes with --for connect");
        var choices = StackChoices.Of(typed);
        if (use != "up" && choices.Said.Keys.FirstOrDefault() is { } word)
            throw new FumidaiException(Reason.Usage, $"{word.Option.Name} does not go with --for {use}", next: "It goes with --for up");
        if (use == "up")
            choices.Check();
        return new PolicyCommand(use, target, choices, typed.Settings, typed.Output);
    }

    private async Task<string> ForUpAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        return IamPolicies.Up(Choices.Imagine(), await WhereAsync(run, access));
    }

    private async Task<string> ForConnectAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        if (Target is not null)
            TargetCatalog.CheckName(settings, Target);
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        var target = await TargetChoice.FindAsync(run, access, settings, Target, mayAsk: false);
        run.Screen.Waiting("Looking for the bastion");
        var (bastion, isSsh) = await PolicyBastion.FindAsync(access, settings, target, run.Stop.Token);
        var scope = new ConnectScope
        {
            Where = await WhereAsync(run, access),
            SecretArn = settings.CommandLine.Secret ?? target.Settings?.Secret ?? target.Database?.MasterSecretArn,
            DatabaseResourceId = target.Database?.ResourceId,
            DatabaseUsers = (settings.CommandLine.User ?? target.Settings?.User) is { } user ? [user] : [],
        };
        return IamPolicies.Connect(isSsh
            ? scope with { SshBastionId = bastion.Id, SshUser = target.Settings?.BastionUser ?? bastion.Tags.GetValueOrDefault("fumidai:ssh-user", scope.SshUser) }
            : scope with { SessionBastionId = bastion.Id });
    }

    private static async Task<AccountScope> WhereAsync(Run run, AwsAccess access)
    {
        run.Screen.Waiting("Asking whose account this is");
        var identity = await AskCallerIdentity.AskAsync(access, run.Stop.Token);
        run.Screen.Waiting(null);
        return new AccountScope(access.Region, identity.Account);
    }
}
