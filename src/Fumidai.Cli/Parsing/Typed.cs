using System.Globalization;

namespace Fumidai.Cli;

/// <summary>What was typed after a verb, checked word by word.</summary>
/// <param name="Targets">The words before <c>--</c> that are no options.</param>
/// <param name="Values">Options given; switches have an empty value.</param>
/// <param name="Tail">What followed <c>--</c>; null: there was none.</param>
internal sealed record Typed(IReadOnlyList<string> Targets, IReadOnlyDictionary<OptionSpec, string> Values, IReadOnlyList<string>? Tail)
{
    internal string? Value(OptionSpec option) => Values.GetValueOrDefault(option);

    internal int? Number(OptionSpec option) => Value(option) is { } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;

    internal bool Has(OptionSpec option) => Values.ContainsKey(option);

    internal OutputMode Output => new(Has(Options.Json), Has(Options.Quiet), Has(Options.Verbose));

    /// <summary>The command line's part of the settings.</summary>
    internal CommandLineSettings Settings => new()
    {
        Via = Value(Options.Via),
        Bastion = Value(Options.Bastion),
        Identity = Value(Options.Identity),
        Port = Number(Options.Port),
        Sessions = Number(Options.Sessions),
        KeepAlive = Has(Options.KeepAlive),
        Secret = Value(Options.SecretId),
        User = Value(Options.User),
        Database = Value(Options.DatabaseName),
        CaFile = Value(Options.CaFile),
        Auth = Value(Options.Auth),
        AllowMd5 = Has(Options.AllowMd5),
        Profile = Value(Options.Profile),
        Region = Value(Options.Region),
        EndpointUrl = Value(Options.EndpointUrl),
        Config = Value(Options.Config),
    };
}
