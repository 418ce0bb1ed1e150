namespace Fumidai.Cli;

/// <summary>How many targets a verb takes before its options and <c>--</c>.</summary>
/// <param name="Least">0 or 1.</param>
/// <param name="Most">0, 1 or many.</param>
internal readonly record struct TargetCount(int Least, int Most)
{
    internal static readonly TargetCount None = new(0, 0);
    internal static readonly TargetCount Optional = new(0, 1);
    internal static readonly TargetCount One = new(1, 1);
    internal static readonly TargetCount Several = new(1, 100);
}

/// <summary>One verb: what it is called, what it takes, what <c>--help</c> says of it.</summary>
internal sealed record VerbSpec
{
    /// <summary>One or two words.</summary>
    internal required string Name { get; init; }
    /// <summary>One line for the list of verbs.</summary>
    internal required string Summary { get; init; }
    /// <summary>What follows the name in the usage line.</summary>
    internal required string Usage { get; init; }
    /// <summary>A paragraph or two, lines of at most 80 characters.</summary>
    internal required string Description { get; init; }
    internal TargetCount Targets { get; init; }
    internal Tail Tail { get; init; }
    /// <summary>What follows <c>--</c>, for errors: “the command to run”.</summary>
    internal string TailMeaning { get; init; } = "";
    internal required IReadOnlyList<OptionSpec> Options { get; init; }
    /// <summary>Command lines with what each does.</summary>
    internal required IReadOnlyList<(string Line, string Meaning)> Examples { get; init; }
    /// <summary>Makes the command of what was typed; a FumidaiException of reason Usage for what does not go together.</summary>
    internal required Func<Typed, ICommand> Create { get; init; }
}
