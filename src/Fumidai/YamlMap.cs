using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Fumidai;

/// <summary>
/// One mapping of a YAML file with the line of each key, read from YamlDotNet's events: no reflection, so it works under NativeAOT.
/// Every fault is a <see cref="FumidaiException"/> that starts with <c>file:line</c>.
/// </summary>
internal sealed class YamlMap
{
    private readonly string _path;
    private readonly long _line;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private YamlMap(string path, long line) => (_path, _line) = (path, line);

    /// <summary>Reads a document that is one mapping; an empty document is an empty mapping.</summary>
    internal static YamlMap Parse(string path, string text)
    {
        RefuseTabs(path, text);
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return new YamlMap(path, 1);
            parser.Consume<DocumentStart>();
            var map = parser.Accept<Scalar>(out var scalar) && IsNull(scalar)
                ? Skip(parser, path)
                : ReadMap(parser, path, depth: 0);
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second))
                throw Fault(path, second.Start.Line, "a settings file is one document");
            return map;
        }
        catch (YamlException e)
        {
            // The parser's words are about YAML, not about this file's secrets; its own "(Line: …)" prefix is left out.
            throw Fault(path, Math.Max(e.Start.Line, 1), $"this is not YAML: {Words(e)}");
        }
    }

    /// <summary>Refuses keys that are not in the list.</summary>
    internal void Allow(string[] keys)
    {
        foreach (var (key, entry) in _entries)
        {
            if (keys.Contains(key, StringComparer.Ordinal))
                continue;
            if (Secrets.Contains(key.Replace("-", "_", StringComparison.Ordinal)))
                throw Fault(_path, entry.Line, $"a {key} does not belong in this file: name a Secrets Manager secret with secret:, or use the environment");
            var near = keys.Where(k => Distance(k, key) <= 2).OrderBy(k => Distance(k, key)).FirstOrDefault();
            throw Fault(_path, entry.Line, near is null
                ? $"unknown key “{key}”; known are {string.Join(", ", keys)}"
                : $"unknown key “{key}”; did you mean {near}?");
        }
    }

    /// <summary>A text; null: not there.</summary>
    internal string? Text(string key) => Value(key, v => v);

    /// <summary>A scalar read by <paramref name="read"/>, whose <see cref="FormatException"/> becomes a fault at its line.</summary>
    internal T? Value<T>(string key, Func<string, T> read)
    {
        if (!_entries.TryGetValue(key, out var entry))
            return default;
        if (entry.Scalar is not { } scalar)
            throw Fault(_path, entry.Line, $"{key} is one value, not a list or a mapping");
        if (IsNull(scalar) || scalar.Value.Length == 0)
            throw Fault(_path, entry.Line, $"{key} has no value");
        try
        {
            return read(scalar.Value);
        }
        catch (FormatException e)
        {
            throw Fault(_path, entry.Line, $"{key}: {e.Message}");
        }
    }

    /// <summary>A number; a quoted one is a text and refused.</summary>
    internal T? Number<T>(string key, Func<string, T> read) =>
        _entries.TryGetValue(key, out var entry) && entry.Scalar is { Style: not ScalarStyle.Plain }
            ? throw Fault(_path, entry.Line, $"{key} is a number, not a text")
            : Value(key, read);

    /// <summary>A list of values, each read as in <see cref="Value"/>; empty when the key is missing.</summary>
    internal IReadOnlyList<string> Texts(string key, Func<string, string> read)
    {
        if (!_entries.TryGetValue(key, out var entry))
            return [];
        var values = new List<string>();
        foreach (var item in entry.Items ?? throw Fault(_path, entry.Line, $"{key} is a list: [one, another]"))
        {
            try
            {
                values.Add(read(item.Value));
            }
            catch (FormatException e)
            {
                throw Fault(_path, item.Start.Line, $"{key}: {e.Message}");
            }
        }
        return values;
    }

    /// <summary>A mapping; null when the key is missing or holds a scalar.</summary>
    internal YamlMap? Nested(string key) => _entries.TryGetValue(key, out var entry) ? entry.Map : null;

    /// <summary>A mapping of mappings; empty when the key is missing.</summary>
    internal IEnumerable<(string Key, YamlMap Map)> Maps(string key)
    {
        if (!_entries.TryGetValue(key, out var entry) || (entry.Scalar is { } scalar && IsNull(scalar)))
            yield break;
        foreach (var (name, inner) in (entry.Map ?? throw Fault(_path, entry.Line, $"{key} is a mapping"))._entries)
            yield return (name, inner.Map ?? throw Fault(_path, inner.Line, $"{name} is a mapping"));
    }

    /// <summary>A fault at the line where this mapping begins.</summary>
    internal FumidaiException Wrong(string cause) => Fault(_path, _line, cause);

    /// <summary>The parser reports a tab at the line before it, in words about tokens.</summary>
    private static void RefuseTabs(string path, string text)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var indent = line[..(line.Length - line.TrimStart().Length)];
            if (indent.Contains('\t') && indent.Length < line.Length && line[indent.Length] != '#')
                throw Fault(path, number, "this is not YAML: a tab cannot indent, use spaces");
        }
    }

    private static YamlMap ReadMap(Parser parser, string path, int depth, long? line = null)
    {
        if (!parser.TryConsume<MappingStart>(out var start))
            throw Fault(path, parser.Current!.Start.Line, "keys with values are expected here");
        Plain(start, path);
        if (depth > MaxDepth)
            throw Fault(path, start.Start.Line, "mappings are nested too deeply");
        var map = new YamlMap(path, line ?? start.Start.Line);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
                throw Fault(path, parser.Current!.Start.Line, "a key is a plain word");
            Plain(key, path);
            if (map._entries.TryGetValue(key.Value, out var first))
                throw Fault(path, key.Start.Line, $"{key.Value} is already set in line {first.Line.ToString(CultureInfo.InvariantCulture)}");
            map._entries.Add(key.Value, ReadEntry(parser, path, key.Start.Line, depth));
        }
        return map;
    }

    private static Entry ReadEntry(Parser parser, string path, long line, int depth)
    {
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            Plain(scalar, path);
            return new Entry(line, scalar, null);
        }
        if (parser.TryConsume<SequenceStart>(out var sequence))
            return ReadList(parser, path, line, sequence);
        if (parser.Accept<AnchorAlias>(out var alias))
            throw Fault(path, alias.Start.Line, "aliases are not used in this file");
        return new Entry(line, null, ReadMap(parser, path, depth + 1, line));
    }

    private static Entry ReadList(Parser parser, string path, long line, SequenceStart start)
    {
        Plain(start, path);
        var items = new List<Scalar>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var item))
                throw Fault(path, parser.Current!.Start.Line, "a list holds plain values");
            Plain(item, path);
            items.Add(item);
        }
        return new Entry(line, null, null, items);
    }

    private static void Plain(NodeEvent node, string path)
    {
        if (!node.Anchor.IsEmpty)
            throw Fault(path, node.Start.Line, "anchors are not used in this file");
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
            throw Fault(path, node.Start.Line, "tags are not used in this file");
    }

    private static YamlMap Skip(Parser parser, string path)
    {
        parser.Consume<Scalar>();
        return new YamlMap(path, 1);
    }

    private static bool IsNull(Scalar scalar) => scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null";

    private static FumidaiException Fault(string path, long line, string cause) =>
        new(Reason.Configuration, string.Create(CultureInfo.InvariantCulture, $"{path}:{line}"), cause);

    private static string Words(YamlException e)
    {
        var text = (e.InnerException?.Message ?? e.Message).ReplaceLineEndings(" ");
        var end = text.StartsWith('(') ? text.IndexOf("): ", StringComparison.Ordinal) : -1;
        return end < 0 ? text : text[(end + 3)..];
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[b.Length];
    }

    private const int MaxDepth = 8;

    private static readonly HashSet<string> Secrets = new(StringComparer.OrdinalIgnoreCase)
    {
        "password", "pgpassword", "passphrase", "identity_passphrase", "token", "session_token", "aws_session_token", "secret_key",
        "secret_access_key", "aws_secret_access_key", "access_key", "access_key_id", "aws_access_key_id", "private_key",
    };

    private readonly record struct Entry(long Line, Scalar? Scalar, YamlMap? Map, List<Scalar>? Items = null);
}
