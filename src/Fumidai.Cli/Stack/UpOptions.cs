namespace Fumidai.Cli;

/// <summary>How <c>fumidai up</c> is to go about it, whatever the stack.</summary>
internal sealed record UpOptions
{
    internal static readonly OptionSpec From = new("--from", "FILE", "read what is not said here from this file (docs/up.md)", OptionGroup.Stack, FileName);
    internal static readonly OptionSpec DryRun = new("--dry-run", null, "show the change set and the price, and remove the change set", OptionGroup.Stack);
    internal static readonly OptionSpec Export = new("--export", "FORMAT", "write cloudformation or terraform files instead of building", OptionGroup.Stack,
        text => text is "cloudformation" or "terraform" ? null : "must be cloudformation or terraform");
    internal static readonly OptionSpec Folder = new("--dir", "DIR", "folder for the exported files; default: this one", OptionGroup.Stack, FileName);
    internal static readonly OptionSpec Overwrite = new("--force", null, "overwrite exported files", OptionGroup.Stack);
    internal static readonly OptionSpec MyIp = new("--my-ip", null, "only admit your present address to the public bastion, instead of the former one", OptionGroup.Stack);
    internal static readonly OptionSpec NewestImage = new("--newest-image", null, "replace the bastions by new ones with the newest Amazon Linux", OptionGroup.Stack);
    internal static readonly OptionSpec Yes = new("--yes", null, "ask nothing, and do it", OptionGroup.Output);

    internal string? FromFile { get; init; }
    internal bool OnlyShow { get; init; }
    internal string? ExportAs { get; init; }
    internal string? ExportFolder { get; init; }
    internal bool MayOverwrite { get; init; }
    internal bool OnlyAddress { get; init; }
    internal bool RenewImage { get; init; }
    internal bool IsAgreed { get; init; }

    internal static UpOptions Of(Typed typed) => new()
    {
        FromFile = typed.Value(From),
        OnlyShow = typed.Has(DryRun),
        ExportAs = typed.Value(Export),
        ExportFolder = typed.Value(Folder),
        MayOverwrite = typed.Has(Overwrite),
        OnlyAddress = typed.Has(MyIp),
        RenewImage = typed.Has(NewestImage),
        IsAgreed = typed.Has(Yes),
    };

    /// <exception cref="FumidaiException">Usage: two things that do not go together.</exception>
    internal void Check(StackChoices choices)
    {
        if (ExportAs is not null && OnlyShow)
            throw new FumidaiException(Reason.Usage, "--export and --dry-run do not go together", next: "--export builds nothing anyway");
        if (ExportAs is null && (ExportFolder is not null || MayOverwrite))
            throw new FumidaiException(Reason.Usage, $"{(MayOverwrite ? "--force" : "--dir")} is about exported files", next: "Say --export cloudformation or --export terraform");
        if (OnlyAddress && (choices.Said.Keys.Any(w => w != StackWord.Name) || FromFile is not null || ExportAs is not null || RenewImage))
            throw new FumidaiException(Reason.Usage, "--my-ip changes one rule and nothing else", next: "Give it alone, or with --name; any other up admits your present address too");
        if (choices.Has(StackWord.Tag))
            _ = choices.Over((Stacks.StackOptions?)null);
        if (!OnlyAddress && FromFile is null)
            choices.Check();
    }

    private static string? FileName(string text) => text.Length == 0 ? "must not be empty" : text.Any(char.IsControl) ? "must not hold control characters" : null;
}
