using System.CommandLine;

namespace Fumidai.Cli;

/// <summary>Under which heading <c>--help</c> shows an option.</summary>
internal enum OptionGroup
{
    Route,
    Database,
    Service,
    Sql,
    Cost,
    Aws,
    Lab,
    Plugin,
    Stack,
    Output,
}

/// <summary>One option: what it is called, what it takes, what it means, what is wrong with a value.</summary>
/// <param name="Name">With its dashes.</param>
/// <param name="ValueName">As shown in help; null: a switch.</param>
/// <param name="Help">One line.</param>
/// <param name="Group">Heading.</param>
/// <param name="Wrong">What a good value is, for a value that is not: null when it is good.</param>
internal sealed record OptionSpec(string Name, string? ValueName, string Help, OptionGroup Group, Func<string, string?>? Wrong = null)
{
    /// <summary>Whether it may be given several times; its value is then one line for each.</summary>
    internal bool Repeats { get; init; }

    internal Option Create() => ValueName is null
        ? new Option<bool>(Name) { Arity = ArgumentArity.Zero }
        : new Option<string[]>(Name) { Arity = new ArgumentArity(0, 100) };
}
