namespace Fumidai.Cli;

/// <summary>A text by its lines, with the line ends it has.</summary>
internal sealed class TextLines
{
    private readonly List<string> _lines = [];
    private readonly string _end;

    internal TextLines(string text)
    {
        _end = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOf('\n', at);
            _lines.Add(end < 0 ? text[at..] : text[at..(end + 1)]);
            at = end < 0 ? text.Length : end + 1;
        }
    }

    internal int Count => _lines.Count;

    /// <summary>A line, counted from 1, without its end.</summary>
    internal string this[int number] => _lines[number - 1].TrimEnd('\r', '\n');

    internal void InsertAfter(int number, IEnumerable<string> lines)
    {
        if (number > 0 && !_lines[number - 1].EndsWith('\n'))
            _lines[number - 1] += _end;
        _lines.InsertRange(number, lines.Select(l => l + _end));
    }

    internal void Remove(int first, int last) => _lines.RemoveRange(first - 1, last - first + 1);

    public override string ToString() => string.Concat(_lines);
}
