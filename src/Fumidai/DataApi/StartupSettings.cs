using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>Settings that a client sends with its start-up: parameters of their own, and <c>options</c> as of a server's command line.</summary>
internal static class StartupSettings
{
    private static readonly HashSet<string> s_others = new(StringComparer.Ordinal) { "user", "database", "options", "replication" };

    /// <exception cref="SqlFailure">Options that are none.</exception>
    public static IReadOnlyDictionary<string, string> Of(StartupMessage startup)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var words = Words(startup["options"] ?? "");
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            var pair = word == "-c" && i + 1 < words.Count ? words[++i]
                : word.StartsWith("-c", StringComparison.Ordinal) || word.StartsWith("--", StringComparison.Ordinal) ? word[2..]
                : throw new SqlFailure("42601", $"invalid command-line argument for server process: {word}");
            if (pair.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var at))
                throw new SqlFailure("42601", $"{word} requires a value");
            settings[pair[..at].Replace('-', '_')] = pair[(at + 1)..];
        }
        foreach (var name in startup.Names)
        {
            if (!s_others.Contains(name) && !name.StartsWith("_pq_.", StringComparison.Ordinal))
                settings[name] = startup[name]!;
        }
        return settings;
    }

    /// <summary>Words of an options string: a backslash keeps the character behind it.</summary>
    private static List<string> Words(string options)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        for (var i = 0; i < options.Length; i++)
        {
            if (options[i] == '\\' && i + 1 < options.Length)
                word.Append(options[++i]);
            else if (!char.IsWhiteSpace(options[i]))
                word.Append(options[i]);
            else if (word.Length > 0)
                Close();
        }
        if (word.Length > 0)
            Close();
        return words;

        void Close()
        {
            words.Add(word.ToString());
            word.Clear();
        }
    }
}
