namespace Fumidai.Stacks;

/// <summary>
/// The marks in templates: a line behind <c>#+word</c> is taken in when the word is on, a line ending in <c>#-word</c> is left out then,
/// and <c>#+tags</c> becomes the user's tags. Described in templates/README.md.
/// </summary>
internal static class TemplateWords
{
    /// <param name="lines">Lines of a part.</param>
    /// <param name="words">Words that are on.</param>
    /// <param name="tags">Lines that stand for the user's tags, without indentation.</param>
    public static IEnumerable<string> Apply(IEnumerable<string> lines, IReadOnlySet<string> words, IReadOnlyList<string> tags)
    {
        foreach (var line in lines)
        {
            var body = line.TrimStart();
            var indent = line[..(line.Length - body.Length)];
            if (body == "#+tags")
            {
                foreach (var tag in tags)
                    yield return indent + tag;
            }
            else if (body.StartsWith("#+", StringComparison.Ordinal))
            {
                var space = body.IndexOf(' ', StringComparison.Ordinal);
                if (words.Contains(body[2..space]))
                    yield return indent + body[(space + 1)..];
            }
            else if (line.LastIndexOf(" #-", StringComparison.Ordinal) is >= 0 and var at)
            {
                if (!words.Contains(line[(at + 3)..]))
                    yield return line[..at].TrimEnd();
            }
            else
            {
                yield return line;
            }
        }
    }
}
