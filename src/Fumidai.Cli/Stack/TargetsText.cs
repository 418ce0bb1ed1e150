using System.Text;

namespace Fumidai.Cli;

/// <summary>What became of an entry.</summary>
internal enum EntryOutcome
{
    /// <summary>It was written.</summary>
    Written,
    /// <summary>It was there already.</summary>
    Present,
    /// <summary>The name belongs to something of the user's own.</summary>
    Taken,
    /// <summary>The text is written in a way that is left alone.</summary>
    Refused,
}

/// <summary>
/// Adds, changes and removes one entry of <c>targets:</c> in the text of a fumidai.yaml, and touches nothing else: lines, comments and line ends
/// stay as they are. An entry of ours is known by the comment behind its name.
/// </summary>
internal static class TargetsText
{
    /// <summary>First line of a file that is all ours.</summary>
    internal const string Heading = "# Written by fumidai up. It is yours to change; see docs/configuration.md.";

    /// <summary>The comment that marks an entry as ours.</summary>
    internal static string Mark(string stack, string region) => $"# by fumidai up, stack {stack} in {region}";

    /// <summary>A file with this one entry.</summary>
    internal static string New(IEnumerable<(string Key, string Value)> settings, string name, string target, string? secret, string mark)
    {
        var text = new StringBuilder(Heading).Append('\n');
        foreach (var (key, value) in settings)
            text.Append(key).Append(": ").Append(Scalar(value)).Append('\n');
        text.Append("\ntargets:\n").AppendJoin('\n', Lines(name, target, secret, mark, 2)).Append('\n');
        return text.ToString();
    }

    /// <summary>The text with the entry in it.</summary>
    internal static (EntryOutcome Outcome, string Text) Add(string text, string name, string target, string? secret, string mark)
    {
        var outline = TargetsOutline.Of(text);
        if (outline.IsClosed)
            return (EntryOutcome.Refused, text);
        var lines = new TextLines(text);
        if (outline.Entries.FirstOrDefault(e => e.Name == name) is { } entry)
        {
            if (entry.Target is not { } present)
                return (EntryOutcome.Taken, text);
            if (present.Text == target)
                return (EntryOutcome.Present, text);
            return IsMarked(lines, entry, mark) ? (EntryOutcome.Written, text[..present.Start] + Scalar(target) + text[present.End..]) : (EntryOutcome.Taken, text);
        }
        if (outline.AreInBraces)
            return (EntryOutcome.Refused, text);
        if (outline.TargetsLine == 0)
        {
            List<string> added = ["targets:", .. Lines(name, target, secret, mark, 2)];
            if (!outline.IsEmpty && lines.Count > 0 && lines[lines.Count].Trim().Length > 0)
                added.Insert(0, "");
            lines.InsertAfter(lines.Count, added);
        }
        else if (outline.HasNoEntries)
        {
            // “targets:”, perhaps with a word for nothing behind it.
            if (lines[outline.TargetsLine].Split('#')[0].Trim() != "targets:")
                return (EntryOutcome.Refused, text);
            lines.InsertAfter(outline.TargetsLine, Lines(name, target, secret, mark, 2));
        }
        else
        {
            lines.InsertAfter(outline.TargetsEnd, Lines(name, target, secret, mark, outline.Entries[0].Column - 1));
        }
        return (EntryOutcome.Written, lines.ToString());
    }

    /// <summary>The text without the entries that carry the mark; and the names of those.</summary>
    internal static (IReadOnlyList<string> Removed, string Text) Remove(string text, string mark)
    {
        var outline = TargetsOutline.Of(text);
        var lines = new TextLines(text);
        if (outline.AreInBraces)
            return ([], text);
        var ours = outline.Entries.Where(e => IsMarked(lines, e, mark)).ToList();
        foreach (var entry in ours.OrderByDescending(e => e.FirstLine))
            lines.Remove(entry.FirstLine, entry.LastLine);
        if (ours.Count > 0 && ours.Count == outline.Entries.Count && lines[outline.TargetsLine].Trim() == "targets:")
        {
            lines.Remove(outline.TargetsLine, outline.TargetsLine);
            // The empty line that set it off goes with it.
            if (outline.TargetsLine - 1 is > 0 and var before && before == lines.Count && lines[before].Trim().Length == 0)
                lines.Remove(before, before);
        }
        return ([.. ours.Select(e => e.Name)], lines.ToString());
    }

    /// <summary>Whether nothing is left but what <see cref="New"/> writes around an entry.</summary>
    internal static bool IsAllOurs(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 && lines[0] == Heading
            && lines.Skip(1).All(l => l.StartsWith("region: ", StringComparison.Ordinal) || l.StartsWith("profile: ", StringComparison.Ordinal) || l.StartsWith("endpoint_url: ", StringComparison.Ordinal));
    }

    /// <summary>The lines of an entry.</summary>
    internal static IEnumerable<string> Lines(string name, string target, string? secret, string mark, int indent)
    {
        var (outer, inner) = (new string(' ', indent), new string(' ', indent + 2));
        yield return $"{outer}{Scalar(name)}: {mark}";
        yield return $"{inner}target: {Scalar(target)}";
        if (secret is not null)
            yield return $"{inner}secret: {Scalar(secret)}";
    }

    private static bool IsMarked(TextLines lines, TargetsOutline.Entry entry, string mark) => lines[entry.FirstLine].TrimEnd().EndsWith(mark, StringComparison.Ordinal);

    // What could mean something else to YAML goes in quotation marks.
    private static string Scalar(string text) =>
        text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '/' or '.' or ':' or '!') && !text.EndsWith(':')
            && text is not ("true" or "false" or "yes" or "no" or "on" or "off" or "null" or "y" or "n")
            ? text
            : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
