using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai down</c>: takes a stack down, and looks whether anything is left.</summary>
internal sealed record DownCommand(string? Name, bool IsAgreed, CommandLineSettings Settings, OutputMode Output) : ICommand
{
    internal static readonly VerbSpec Spec = new()
    {
        Name = "down",
        Summary = "take down what up has built, and look that nothing is left",
        Usage = "[--options]",
        Description = """
            Lists what goes and what stays (the final snapshot), asks for the stack's name unless --yes,
            deletes the stack, looks for anything that still carries its tag, and removes the entry that
            up wrote into fumidai.yaml. What fumidai did not create is never deleted. Interrupted, run it
            again: a deletion under way is followed. Where there is no such stack, there is nothing to do.
            """,
        Options = [StackWord.Name.Option, .. Options.OfAws, Options.Config, .. Options.OfOutput, UpOptions.Yes],
        Examples =
        [
            ("fumidai down", "shows what goes, asks, deletes"),
            ("fumidai down --name reports --yes", "another stack, without a question"),
        ],
        Create = typed => new DownCommand(typed.Value(StackWord.Name.Option), typed.Has(UpOptions.Yes), typed.Settings, typed.Output),
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.LoadToWrite(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        var stack = new StackRun(run, settings, access);
        return await new StackTakingDown(stack, Name ?? new StackOptions().Name, IsAgreed).RunAsync();
    }
}
