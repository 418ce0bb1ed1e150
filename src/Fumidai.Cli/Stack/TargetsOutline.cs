using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Fumidai.Cli;

/// <summary>Where in the text of a fumidai.yaml its targets stand. Lines count from 1, indexes from 0; comments are in no event, so they are found by not being touched.</summary>
internal sealed class TargetsOutline
{
    /// <summary>One entry of <c>targets:</c>.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Column">Column of the name, from 1.</param>
    /// <param name="FirstLine">Line of the name.</param>
    /// <param name="LastLine">Last line with something of it.</param>
    /// <param name="Target">What its <c>target:</c> says, and where.</param>
    internal sealed record Entry(string Name, int Column, int FirstLine, int LastLine, (string Text, int Start, int End)? Target);

    private readonly List<Entry> _entries = [];
    private int _lastLine;

    private TargetsOutline()
    {
    }

    /// <summary>Whether the file has nothing but comments.</summary>
    internal bool IsEmpty { get; private set; }

    /// <summary>Whether all of it is written in braces, or in another way that cannot be added to line by line.</summary>
    internal bool IsClosed { get; private set; }

    /// <summary>Line of the key <c>targets</c>; 0: there is none.</summary>
    internal int TargetsLine { get; private set; }

    /// <summary>Line in which what <c>targets</c> has ends.</summary>
    internal int TargetsEnd { get; private set; }

    /// <summary>Whether <c>targets</c> is there without anything.</summary>
    internal bool HasNoEntries => TargetsLine > 0 && _entries.Count == 0 && !AreInBraces;

    /// <summary>Whether <c>targets</c> is written in braces.</summary>
    internal bool AreInBraces { get; private set; }

    internal IReadOnlyList<Entry> Entries => _entries;

    /// <exception cref="YamlException">It is no YAML.</exception>
    internal static TargetsOutline Of(string text)
    {
        var outline = new TargetsOutline();
        var parser = new Parser(new StringReader(text));
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _))
        {
            outline.IsEmpty = true;
            return outline;
        }
        parser.Consume<DocumentStart>();
        if (!parser.TryConsume<MappingStart>(out var top) || top.Style == MappingStyle.Flow)
        {
            outline.IsClosed = true;
            return outline;
        }
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>();
            if (key.Value == "targets")
                outline.ReadTargets(parser, key);
            else
                outline.Skip(parser);
        }
        // A document that is ended by a mark of its own has lines after it that are not its own.
        outline.IsClosed = parser.TryConsume<DocumentEnd>(out var end) && !end.IsImplicit;
        return outline;
    }

    private void ReadTargets(Parser parser, Scalar key)
    {
        TargetsLine = Line(key.Start);
        _lastLine = TargetsLine;
        if (!parser.TryConsume<MappingStart>(out var start))
        {
            Skip(parser);
            TargetsEnd = _lastLine;
            return;
        }
        AreInBraces = start.Style == MappingStyle.Flow;
        while (!parser.Accept<MappingEnd>(out _))
        {
            var name = parser.Consume<Scalar>();
            _lastLine = Line(name.Start);
            var target = ReadEntry(parser);
            _entries.Add(new Entry(name.Value, Column(name.Start), Line(name.Start), _lastLine, target));
        }
        var end = parser.Consume<MappingEnd>();
        if (AreInBraces)
            _lastLine = Line(end.End);
        TargetsEnd = _lastLine;
    }

    private (string, int, int)? ReadEntry(Parser parser)
    {
        if (!parser.TryConsume<MappingStart>(out var start))
        {
            Skip(parser);
            return null;
        }
        (string, int, int)? target = null;
        while (!parser.Accept<MappingEnd>(out _))
        {
            var key = parser.Consume<Scalar>();
            if (key.Value == "target" && parser.Accept<Scalar>(out var value))
                target = (value.Value, (int)value.Start.Index, (int)value.End.Index);
            Skip(parser);
        }
        var end = parser.Consume<MappingEnd>();
        if (start.Style == MappingStyle.Flow)
            _lastLine = Line(end.End);
        return target;
    }

    private void Skip(Parser parser)
    {
        var depth = 0;
        do
        {
            var one = parser.Consume<ParsingEvent>();
            depth += one.NestingIncrease;
            // Ends of blocks are reported where the next thing begins.
            if (one is Scalar || one is MappingEnd or SequenceEnd && one.Start.Index != one.End.Index)
                _lastLine = Math.Max(_lastLine, Column(one.End) == 1 && Line(one.End) > Line(one.Start) ? Line(one.End) - 1 : Line(one.End));
        }
        while (depth > 0);
    }

    private static int Line(Mark mark) => (int)mark.Line;

    private static int Column(Mark mark) => (int)mark.Column;
}
