using System.Text;

namespace Fumidai.Cli;

/// <summary>The texts of <c>--help</c>, made of the verbs' and options' own words.</summary>
internal static class HelpText
{
    private const int Column = 28;
    private const int Width = 100;

    internal static string Short() => $"""
        fumidai {Surroundings.Version}: from here to a private Amazon Aurora PostgreSQL, in one command.

          fumidai targets               what can be reached
          fumidai connect TARGET        psql on it

        fumidai --help tells the rest; fumidai lab lets you try it without an AWS account.
        """;

    internal static string OfAll()
    {
        var text = new StringBuilder();
        text.Append($"""
            fumidai {Surroundings.Version}: from here to a private Amazon Aurora PostgreSQL, in one command.

            Usage: fumidai VERB [TARGET] [--options] [-- client arguments]

            Verbs

            """);
        foreach (var verb in Verbs.All)
            Row(text, $"  {verb.Name}", verb.Summary);
        text.Append("""

            A TARGET is cluster/ID, instance/ID, host/NAME:PORT, or a name from fumidai.yaml.

            Examples
              fumidai targets
              fumidai connect cluster/app
              fumidai connect app -- -c 'select 1'
              fumidai exec app -- pg_dump -Fc -f app.dump
              eval "$(fumidai lab --print-env)"

            fumidai VERB --help explains a verb; fumidai --version tells the version.
            Credentials, regions and proxies are those of the AWS CLI.
            Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 AWS access, 5 not found, 6 no route,
            7 route lost, 8 sign-in, 130 Ctrl-C, 143 SIGTERM; connect and exec end with their client's own.
            """);
        return text.ToString();
    }

    internal static string Of(VerbSpec verb)
    {
        var text = new StringBuilder();
        text.Append($"fumidai {verb.Name}: {verb.Summary}\n\nUsage: {$"fumidai {verb.Name} {verb.Usage}".TrimEnd()}\n\n{verb.Description.ReplaceLineEndings("\n")}\n");
        foreach (var group in verb.Options.GroupBy(o => o.Group).OrderBy(g => g.Key))
        {
            text.Append($"\n{Heading(group.Key)}\n");
            foreach (var option in group)
                Row(text, option.ValueName is null ? $"  {option.Name}" : $"  {option.Name} {option.ValueName}", option.Help);
        }
        text.Append("\nExamples\n");
        foreach (var (line, meaning) in verb.Examples)
            text.Append($"  {line}\n      {meaning}\n");
        return text.ToString().TrimEnd();
    }

    private static string Heading(OptionGroup group) => group switch
    {
        OptionGroup.Route => "Route and local port",
        OptionGroup.Database => "Sign-in",
        OptionGroup.Service => "As a service",
        OptionGroup.Sql => "Statements and results",
        OptionGroup.Cost => "What is counted",
        OptionGroup.Aws => "AWS",
        OptionGroup.Lab => "Lab",
        OptionGroup.Plugin => "Link",
        OptionGroup.Stack => "Stack",
        _ => "Settings and output",
    };

    // Two columns; the second wraps beneath itself.
    private static void Row(StringBuilder text, string left, string right)
    {
        var line = left.PadRight(Column - 1);
        foreach (var word in right.Split(' '))
        {
            if (line.Length + 1 + word.Length > Width)
            {
                text.Append(line).Append('\n');
                line = new string(' ', Column - 1);
            }
            line += " " + word;
        }
        text.Append(line.TrimEnd()).Append('\n');
    }
}
