namespace Fumidai.Stacks;

/// <summary>One entry of a section: its name and its lines, the comment above it included.</summary>
internal sealed record TemplateEntry(string Name, IReadOnlyList<string> Lines)
{
    /// <summary>The resource's or parameter's type.</summary>
    public string Type => Lines.FirstOrDefault(l => l.StartsWith("    Type: ", StringComparison.Ordinal))?[10..] ?? "";
}

/// <summary>One file under templates/, taken apart at its sections and entries; nothing inside an entry is understood.</summary>
internal sealed class TemplatePart
{
    private readonly Dictionary<string, List<TemplateEntry>> _sections = new(StringComparer.Ordinal);

    private TemplatePart()
    {
    }

    public IReadOnlyList<TemplateEntry> Section(string name) => _sections.GetValueOrDefault(name) ?? [];

    public static TemplatePart Read(string file, IReadOnlySet<string> words, IReadOnlyList<string> tags) =>
        Parse(TemplateWords.Apply(Resources.Lines("templates/" + file), words, tags));

    internal static TemplatePart Parse(IEnumerable<string> lines)
    {
        var part = new TemplatePart();
        List<TemplateEntry>? section = null;
        var comment = new List<string>();
        List<string>? entry = null;
        foreach (var line in lines)
        {
            if (line.Length > 0 && line[0] != ' ' && line[0] != '#')
            {
                section = part._sections[line.Split(':')[0]] = [];
                (entry, comment) = (null, []);
            }
            else if (section is null)
            {
                continue;
            }
            else if (line.StartsWith("  #", StringComparison.Ordinal))
            {
                comment.Add(line);
            }
            else if (line.Length > 2 && line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' ')
            {
                entry = [.. comment, line];
                comment = [];
                section.Add(new TemplateEntry(line.Trim().Split(':')[0], entry));
            }
            else if (line.Length > 0 || comment.Count == 0)
            {
                entry?.Add(line);
            }
        }
        // An empty line inside user data stays; those after an entry are the composer's business.
        foreach (var lines1 in part._sections.Values.SelectMany(s => s).Select(e => (List<string>)e.Lines))
        {
            while (lines1[^1].Length == 0)
                lines1.RemoveAt(lines1.Count - 1);
        }
        return part;
    }
}
