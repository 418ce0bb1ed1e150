using System.Globalization;
using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>A product of AWS's price list with its price on demand.</summary>
/// <param name="Attributes">What tells it from others: <c>usagetype</c>, <c>regionCode</c>, <c>databaseEngine</c> …</param>
/// <param name="Unit">What it is counted in, in AWS's words.</param>
/// <param name="Usd">USD a unit; of tiered prices the first tier.</param>
/// <param name="Since">The day from which it holds, as YYYY-MM-DD.</param>
public sealed record ListedPrice(IReadOnlyDictionary<string, string> Attributes, string Unit, decimal Usd, string Since);

/// <summary>What does a thing cost? GetProducts of the Price List API, which knows every region and is asked in one.</summary>
public static class ReadPrices
{
    /// <summary>Prices on demand of the products whose attributes are as said, all pages.</summary>
    /// <exception cref="AwsFailure">Permission: <c>pricing:GetProducts</c> is not allowed.</exception>
    public static async Task<IReadOnlyList<ListedPrice>> OfAsync(AwsAccess access, string serviceCode, IEnumerable<KeyValuePair<string, string>> attributes, CancellationToken cancellationToken)
    {
        var filters = attributes.ToList();
        var prices = new List<ListedPrice>();
        string? token = null;
        do
        {
            var page = token;
            using var answer = await access.AskAsync(AwsService.Pricing, "GetProducts", stop => access.Pricing.JsonAsync("GetProducts", members => Write(members, serviceCode, filters, page), stop), cancellationToken).ConfigureAwait(false);
            if (answer.RootElement.TryGetProperty("PriceList", out var list) && list.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in list.EnumerateArray())
                    prices.AddRange(PricesOf(item.GetString() ?? "{}"));
            }
            var next = answer.RootElement.Text("NextToken");
            token = next == token ? null : next;
        }
        while (token is not null);
        return prices;
    }

    private static void Write(Utf8JsonWriter members, string serviceCode, IReadOnlyList<KeyValuePair<string, string>> filters, string? token)
    {
        members.WriteString("ServiceCode", serviceCode);
        members.WriteString("FormatVersion", "aws_v1");
        members.WriteStartArray("Filters");
        foreach (var (field, value) in filters)
        {
            members.WriteStartObject();
            members.WriteString("Type", "TERM_MATCH");
            members.WriteString("Field", field);
            members.WriteString("Value", value);
            members.WriteEndObject();
        }
        members.WriteEndArray();
        if (token is not null)
            members.WriteString("NextToken", token);
    }

    // Each item is a JSON document inside a string.
    private static List<ListedPrice> PricesOf(string item)
    {
        using var document = JsonDocument.Parse(item);
        var prices = new List<ListedPrice>();
        if (!document.RootElement.TryGetProperty("product", out var product) || !product.TryGetProperty("attributes", out var described)
            || !document.RootElement.TryGetProperty("terms", out var terms) || !terms.TryGetProperty("OnDemand", out var offers))
            return prices;
        var attributes = described.EnumerateObject().ToDictionary(a => a.Name, a => a.Value.GetString() ?? "", StringComparer.Ordinal);
        foreach (var offer in offers.EnumerateObject().Select(o => o.Value))
        {
            var since = offer.Text("effectiveDate") is { Length: >= 10 } date ? date[..10] : "";
            foreach (var dimension in offer.GetProperty("priceDimensions").EnumerateObject().Select(d => d.Value))
            {
                if (dimension.Text("beginRange") is null or "0" && dimension.TryGetProperty("pricePerUnit", out var unit) && decimal.TryParse(unit.Text("USD"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var usd))
                    prices.Add(new ListedPrice(attributes, dimension.Text("unit") ?? "", usd, since));
            }
        }
        return prices;
    }
}
