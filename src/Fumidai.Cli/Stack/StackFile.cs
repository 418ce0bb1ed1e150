using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Fumidai.Cli;

/// <summary>The file of <c>--from</c>: the options of a stack under their names, with underscores, so that they can be reviewed and kept (docs/up.md).</summary>
internal static class StackFile
{
    private const long MaxLength = 64 * 1024;

    /// <exception cref="FumidaiException">Configuration, with <c>file:line</c>.</exception>
    internal static StackChoices Read(string path)
    {
        string text;
        try
        {
            var length = new FileInfo(path).Length;
            if (length > MaxLength)
                throw new FumidaiException(Reason.Configuration, $"cannot read {path}", string.Create(CultureInfo.InvariantCulture, $"it has {length} bytes; a file of options has at most {MaxLength}"));
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(Reason.Configuration, $"cannot read {path}", e.Message, inner: e);
        }
        return Parse(path, text);
    }

    internal static StackChoices Parse(string path, string text)
    {
        var said = new Dictionary<StackWord, string>();
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                return new StackChoices(said);
            parser.Consume<DocumentStart>();
            if (!parser.TryConsume<MappingStart>(out _))
                throw Fault(path, parser.Current!, "keys with values are expected here");
            while (!parser.TryConsume<MappingEnd>(out _))
                ReadEntry(parser, path, said);
            parser.Consume<DocumentEnd>();
            return parser.Accept<DocumentStart>(out var second) ? throw Fault(path, second, "a file of options is one document") : new StackChoices(said);
        }
        catch (YamlException e)
        {
            throw new FumidaiException(Reason.Configuration, string.Create(CultureInfo.InvariantCulture, $"{path}:{Math.Max(e.Start.Line, 1)}"), "this is not YAML", inner: e);
        }
    }

    private static void ReadEntry(Parser parser, string path, Dictionary<StackWord, string> said)
    {
        if (!parser.TryConsume<Scalar>(out var key))
            throw Fault(path, parser.Current!, "a key is a plain word");
        var word = Array.Find(StackWord.All, w => KeyOf(w) == key.Value);
        if (word is null)
        {
            var near = Nearest.To(key.Value, StackWord.All.Select(KeyOf));
            throw Fault(path, key, near is null ? $"unknown key {Visible.Quote(key.Value)}; known are {string.Join(", ", StackWord.All.Select(KeyOf))}" : $"unknown key {Visible.Quote(key.Value)}; did you mean {near}?");
        }
        var value = word == StackWord.Tag ? Tags(parser, path) : Text(parser, path, key.Value);
        foreach (var one in word == StackWord.Tag ? value.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [value])
        {
            if (word.Wrong(one) is { } wrong)
                throw Fault(path, key, $"{key.Value} {wrong}, not {Visible.Quote(one)}");
        }
        if (value.Length > 0 && !said.TryAdd(word, value))
            throw Fault(path, key, $"{key.Value} is set twice");
    }

    private static string KeyOf(StackWord word) => word == StackWord.Tag ? "tags" : word.Key;

    // A list may be written as one: subnets and endpoints.
    private static string Text(Parser parser, string path, string key)
    {
        if (parser.TryConsume<Scalar>(out var scalar))
            return scalar.Value;
        if (!parser.TryConsume<SequenceStart>(out _) || key is not ("subnets" or "endpoints"))
            throw Fault(path, parser.Current!, $"{key} is one value");
        var items = new List<string>();
        while (!parser.TryConsume<SequenceEnd>(out _))
            items.Add(parser.TryConsume<Scalar>(out var item) ? item.Value : throw Fault(path, parser.Current!, $"{key} is a list of words"));
        return string.Join(',', items);
    }

    private static string Tags(Parser parser, string path)
    {
        if (!parser.TryConsume<MappingStart>(out _))
            throw Fault(path, parser.Current!, "tags are keys with values");
        var lines = new List<string>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key) || !parser.TryConsume<Scalar>(out var value))
                throw Fault(path, parser.Current!, "tags are keys with values");
            if (key.Value.Contains('=', StringComparison.Ordinal))
                throw Fault(path, key, "a tag's key has no = here");
            lines.Add($"{key.Value}={value.Value}");
        }
        return string.Join('\n', lines);
    }

    private static FumidaiException Fault(string path, ParsingEvent where, string cause) =>
        new(Reason.Configuration, string.Create(CultureInfo.InvariantCulture, $"{path}:{where.Start.Line}"), cause);
}
