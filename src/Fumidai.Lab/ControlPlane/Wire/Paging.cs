using System.Globalization;
using System.Text;

namespace Fumidai.Lab;

/// <summary>One page of a list, with an opaque token for the next.</summary>
internal static class Paging
{
    /// <summary>Cuts the page that the token names. <paramref name="limit"/> null: everything that is left.</summary>
    /// <param name="items">The whole list.</param>
    /// <param name="token">From the answer before; null: from the start.</param>
    /// <param name="limit">Items in a page.</param>
    /// <param name="badToken">Thrown for a token that this lab did not make.</param>
    public static (IReadOnlyList<T> Page, string? Next) Cut<T>(IReadOnlyList<T> items, string? token, int? limit, Func<AwsError> badToken)
    {
        var start = 0;
        if (token is not null && !TryRead(token, out start))
            throw badToken();
        var page = items.Skip(start).Take(limit ?? int.MaxValue).ToList();
        var end = start + page.Count;
        return (page, end < items.Count ? Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"lab-page:{end}"))) : null);
    }

    private static bool TryRead(string token, out int start)
    {
        start = 0;
        var bytes = new byte[token.Length];
        return Convert.TryFromBase64String(token, bytes, out var length)
            && Encoding.ASCII.GetString(bytes, 0, length) is var text
            && text.StartsWith("lab-page:", StringComparison.Ordinal)
            && int.TryParse(text["lab-page:".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out start);
    }
}
