namespace Fumidai.Cli;

/// <summary>Did you mean …?</summary>
internal static class Nearest
{
    /// <summary>The known word that a typing mistake or two away from the given one; null: none is near.</summary>
    internal static string? To(string word, IEnumerable<string> known)
    {
        if (word.Length is 0 or > 40)
            return null;
        var best = known
            .Select(k => (Word: k, Distance: k.StartsWith(word, StringComparison.OrdinalIgnoreCase) && word.Length >= 3 ? 1 : Distance(word.ToLowerInvariant(), k)))
            .OrderBy(k => k.Distance)
            .FirstOrDefault();
        return best.Word is not null && best.Distance <= Math.Max(1, Math.Min(3, best.Word.TrimStart('-').Length / 2)) ? best.Word : null;
    }

    // Damerau-Levenshtein (optimal string alignment): swapped neighbours count as one mistake.
    private static int Distance(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            table[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            table[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                table[i, j] = Math.Min(Math.Min(table[i - 1, j] + 1, table[i, j - 1] + 1), table[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[a.Length, b.Length];
    }
}
