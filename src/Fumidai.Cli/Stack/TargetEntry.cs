using System.Globalization;

namespace Fumidai.Cli;

/// <summary>The name that a stack's cluster has in fumidai.yaml: the stack's own.</summary>
internal sealed class TargetEntry(StackRun stack, string name)
{
    private string Mark => TargetsText.Mark(name, stack.Region);

    /// <summary>Writes it, and prints the line to connect with, which is the result of <c>fumidai up</c>.</summary>
    internal void Write(string cluster, string? secret)
    {
        var file = stack.Targets;
        var isNew = !File.Exists(file.Path);
        var target = $"cluster/{cluster}";
        List<(string Key, string Value)> settings = [("region", stack.Region)];
        if (stack.Settings.CommandLine.Profile is { } profile)
            settings.Add(("profile", profile));
        EntryOutcome outcome;
        try
        {
            outcome = file.Write(settings, name, target, secret, Mark);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stack.Screen.LastWord($"{file.Path} could not be written: {e.Message}");
            outcome = EntryOutcome.Refused;
        }
        switch (outcome)
        {
            case EntryOutcome.Written:
                stack.Screen.Note($"{file.Path} now names it {name}.");
                break;
            case EntryOutcome.Taken:
                stack.Screen.Note($"{file.Path} has a target {name} that is not this one; it was left alone.");
                break;
            case EntryOutcome.Refused:
                stack.Screen.Note($"{file.Path} was left alone. To name it there: {string.Join(" ", TargetsText.Lines(name, target, secret, "", 0).Select(l => l.Trim()))}");
                break;
        }
        var isNamed = outcome is EntryOutcome.Written or EntryOutcome.Present;
        var line = $"fumidai connect {(isNamed ? name : target)}{stack.SameAccount(isNew && outcome == EntryOutcome.Written)}";
        if (stack.Screen.Mode.Json)
        {
            stack.Screen.Report(new TunnelEvent("target", line, new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["stack"] = name,
                ["target"] = isNamed ? name : target,
                ["cluster"] = cluster,
                ["file"] = isNamed ? file.Path : "",
                ["connect"] = line,
            }));
        }
        else
        {
            stack.Screen.Result(line);
        }
    }

    /// <summary>Removes what was written for this stack.</summary>
    /// <returns>Whether there was anything.</returns>
    internal bool Remove()
    {
        var file = stack.Targets;
        try
        {
            var removed = file.Remove(Mark);
            foreach (var one in removed)
                stack.Screen.Note(string.Create(CultureInfo.InvariantCulture, $"{file.Path} names {one} no more."));
            return removed.Count > 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stack.Screen.LastWord($"The entry of {name} could not be removed from {file.Path}: {e.Message}");
            return false;
        }
    }
}
