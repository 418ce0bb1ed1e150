using System.CommandLine;

namespace Fumidai.Cli;

/// <summary>What a command line comes to.</summary>
internal abstract record Parsed
{
    /// <summary>Print this text on stdout.</summary>
    internal sealed record Text(string Content) : Parsed;

    /// <summary>Run this.</summary>
    internal sealed record Command(ICommand Verb) : Parsed;
}

/// <summary>
/// Reads the command line (design §4). What follows the first <c>--</c> belongs to the client, word for word; the words before it go through
/// System.CommandLine, and whatever is wrong with them becomes one sentence that names the thing and the next step.
/// </summary>
internal static class CommandLine
{
    private static readonly string[] HelpWords = ["--help", "-h", "-?"];

    // No response files: a target may begin with an @ one day, and a file's words are no command line.
    private static readonly ParserConfiguration Configuration = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <exception cref="FumidaiException">Usage.</exception>
    internal static Parsed Parse(IReadOnlyList<string> arguments)
    {
        var dashes = IndexOfDashes(arguments);
        var head = dashes < 0 ? arguments : [.. arguments.Take(dashes)];
        var tail = dashes < 0 ? null : arguments.Skip(dashes + 1).ToArray();
        if (head.Count > 0 && head[0] == "help")
            return new Parsed.Text(head.Count == 1 ? HelpText.OfAll() : HelpText.Of(FindVerb([.. head.Skip(1)], out _)));
        if (head.Any(HelpWords.Contains))
            return new Parsed.Text(head.FirstOrDefault(w => !w.StartsWith('-')) is null ? HelpText.OfAll() : HelpText.Of(FindVerb([.. head.Where(w => !HelpWords.Contains(w))], out _)));
        if (head.Count == 0 && tail is null)
            return new Parsed.Text(HelpText.Short());
        if (head is ["--version"] && tail is null)
            return new Parsed.Text($"fumidai {Surroundings.Version}");
        var verb = FindVerb(head, out var words);
        return new Parsed.Command(verb.Create(Read(verb, [.. head.Skip(words)], tail)));
    }

    private static int IndexOfDashes(IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--")
                return i;
        }
        return -1;
    }

    private static VerbSpec FindVerb(IReadOnlyList<string> head, out int words)
    {
        var first = head.Count > 0 ? head[0] : "";
        if (first.StartsWith('-') || first.Length == 0)
            throw Wrong($"a verb comes first, not {Visible.Quote(first)}", $"For instance: fumidai connect TARGET{(first.StartsWith("--", StringComparison.Ordinal) ? " " + Visible.Line(first) : "")}");
        words = 1;
        if (Verbs.All.FirstOrDefault(v => v.Name == first) is { } found)
            return found;
        var longer = Verbs.All.Where(v => v.Name.StartsWith(first + " ", StringComparison.Ordinal)).ToArray();
        if (longer.Length > 0)
        {
            words = 2;
            var second = head.Count > 1 ? head[1] : "";
            if (Array.Find(longer, v => v.Name == $"{first} {second}") is { } pair)
                return pair;
            var names = string.Join(", ", longer.Select(v => $"fumidai {v.Name}"));
            throw second.Length == 0 || second.StartsWith('-')
                ? Wrong($"{first} needs a second word", $"Say {names}")
                : Wrong($"there is no verb {Visible.Quote($"{first} {second}")}", $"Say {names}");
        }
        var near = Nearest.To(first, Verbs.All.Select(v => v.Name.Split(' ')[0]).Append("help"));
        throw Wrong(
            $"there is no verb {Visible.Quote(first)}",
            near is null ? "fumidai --help lists the verbs" : $"Did you mean {near}? fumidai --help lists the verbs");
    }

    private static Typed Read(VerbSpec verb, IReadOnlyList<string> words, IReadOnlyList<string>? tail)
    {
        RefuseSwitchValues(verb, words);
        // A command of its own name first: the parser drops a first word that looks like the program's.
        var command = new Command("verb");
        var options = verb.Options.Select(spec => (Spec: spec, Option: spec.Create())).ToArray();
        foreach (var (_, option) in options)
            command.Options.Add(option);
        var targets = new Argument<string[]>("TARGET") { Arity = new ArgumentArity(0, 100) };
        command.Arguments.Add(targets);
        // And a switch that nobody can type: at the very start a word in brackets would be a directive.
        command.Options.Add(new Option<bool>("--\0") { Arity = ArgumentArity.Zero });
        var result = command.Parse(["verb", "--\0", .. words], Configuration);

        var names = result.GetResult(targets)?.Tokens.Select(t => t.Value).Concat(result.UnmatchedTokens).ToArray() ?? [.. result.UnmatchedTokens];
        foreach (var name in names)
            RefuseUnknownOption(verb, name);
        var values = new Dictionary<OptionSpec, string>();
        foreach (var (spec, option) in options)
        {
            if (result.GetResult(option) is not { Implicit: false } given)
                continue;
            values.Add(spec, Value(verb, spec, given.IdentifierTokenCount, [.. given.Tokens.Select(t => t.Value)]));
        }
        CheckTargets(verb, names);
        CheckTail(verb, tail);
        if (result.Errors.Count > 0)
            throw Wrong(Visible.Line(result.Errors[0].Message), SeeHelp(verb));
        return new Typed(names, values, tail);
    }

    private static string Value(VerbSpec verb, OptionSpec spec, int times, string[] given)
    {
        if (spec.ValueName is null)
            return "";
        if (given.Length < times || given.Length == 0)
            throw Wrong($"{spec.Name} needs a value", $"Write {spec.Name} {spec.ValueName}");
        if (given.Length > 1 && !spec.Repeats)
            throw Wrong($"{spec.Name} was given {given.Length} times", "Give it once");
        foreach (var one in given)
        {
            if (spec.Wrong?.Invoke(one) is { } wrong)
                throw Wrong($"{spec.Name} {wrong}, not {Visible.Quote(one)}", SeeHelp(verb));
        }
        return string.Join('\n', given);
    }

    private static void RefuseSwitchValues(VerbSpec verb, IReadOnlyList<string> words)
    {
        foreach (var word in words)
        {
            var at = word.IndexOfAny(['=', ':']);
            if (at > 0 && verb.Options.Any(o => o.ValueName is null && o.Name == word[..at]))
                throw Wrong($"{word[..at]} takes no value", $"Write {word[..at]} alone");
        }
    }

    private static void RefuseUnknownOption(VerbSpec verb, string word)
    {
        if (word.Length < 2 || !word.StartsWith('-'))
            return;
        var name = word.Split('=', ':')[0];
        var near = Nearest.To(name, verb.Options.Select(o => o.Name));
        var elsewhere = near is null && Verbs.All.Any(v => v.Options.Any(o => o.Name == name));
        throw Wrong(
            elsewhere ? $"{verb.Name} has no option {Visible.Quote(name)}" : $"there is no option {Visible.Quote(name)}",
            near is null ? SeeHelp(verb) : $"Did you mean {near}? {SeeHelp(verb)}");
    }

    private static void CheckTargets(VerbSpec verb, string[] names)
    {
        foreach (var name in names)
        {
            if (name.Length == 0 || name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)))
                throw Wrong($"{Visible.Quote(name)} is not a target", "fumidai targets lists what there is");
        }
        if (names.Length < verb.Targets.Least)
            throw Wrong($"{verb.Name} needs a TARGET", $"Write fumidai {verb.Name} {verb.Usage}; fumidai targets lists what there is");
        if (names.Length > verb.Targets.Most)
        {
            var extra = names[verb.Targets.Most];
            throw verb.Tail == Tail.None
                ? Wrong($"unexpected {Visible.Quote(extra)}", $"Write fumidai {verb.Name} {verb.Usage}".TrimEnd())
                : Wrong($"unexpected {Visible.Quote(extra)}", $"{verb.TailMeaning} goes after --: fumidai {verb.Name} {verb.Usage}");
        }
    }

    private static void CheckTail(VerbSpec verb, IReadOnlyList<string>? tail)
    {
        if (verb.Tail == Tail.None && tail is not null)
            throw Wrong($"{verb.Name} takes nothing after --", SeeHelp(verb));
        var lacksCommand = verb.Tail switch
        {
            Tail.Command => tail is [] or ["", ..],
            Tail.RequiredCommand => tail is null or [] or ["", ..],
            _ => false,
        };
        if (lacksCommand)
            throw Wrong(tail is null ? $"{verb.Name} needs a command to run" : "there is no command after --", $"Write fumidai {verb.Name} {verb.Usage}");
    }

    private static string SeeHelp(VerbSpec verb) => $"fumidai {verb.Name} --help lists the options";

    private static FumidaiException Wrong(string what, string next) => new(Reason.Usage, what, next: next);
}
