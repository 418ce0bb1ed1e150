using System.Text.Json;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>What <c>fumidai cost --json</c> prints: one object, documented in docs/cost.md.</summary>
internal static class CostJson
{
    internal static string Of(CostComparison comparison, CostQuestion question) => JsonEvents.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("version", JsonEvents.SchemaVersion);
        json.WriteString("region", comparison.Region);
        json.WriteString("currency", "USD");
        JsonEvents.WriteText(json, "oldest_price", comparison.OldestPrice);
        json.WriteStartObject("assumed");
        json.WriteNumber("hours_month", comparison.Usage.MonthHours);
        json.WriteNumber("hours_a_day", question.HoursADay);
        json.WriteNumber("idle_hours_a_day", question.IdleHoursADay);
        json.WriteNumber("gb", comparison.Usage.TransferGb);
        json.WriteNumber("storage_gb", comparison.Usage.StorageGb);
        json.WriteNumber("acu", comparison.Usage.Acu);
        json.WriteNumber("data_api_calls", (long)(comparison.Usage.CallMillions * 1_000_000));
        json.WriteNumber("dpus", (long)(comparison.Usage.DpuMillions * 1_000_000));
        json.WriteEndObject();
        json.WriteStartArray("architectures");
        foreach (var row in comparison.Rows)
            Write(json, row);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    internal static string Prices(IEnumerable<Price> prices) => JsonEvents.Write(json =>
    {
        json.WriteStartArray();
        foreach (var price in prices)
        {
            json.WriteStartObject();
            json.WriteString("region", price.Region);
            Write(json, price);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    internal static string Word(ArchitecturePart part) => part == ArchitecturePart.Way ? "way" : "database";

    /// <summary>The lines of a bill, as an array of that name.</summary>
    internal static void WriteLines(Utf8JsonWriter json, string name, IEnumerable<CostLine> lines)
    {
        json.WriteStartArray(name);
        foreach (var line in lines)
        {
            json.WriteStartObject();
            json.WriteString("what", line.What);
            json.WriteNumber("quantity", Math.Round(line.Quantity, 6));
            WriteNumber(json, "usd_month", line.Usd is { } usd ? Math.Round(usd, 6) : null);
            Write(json, line.Price);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ComparedCost row)
    {
        var what = row.Architecture;
        json.WriteStartObject();
        json.WriteString("id", what.Id);
        json.WriteString("part", Word(what.Part));
        json.WriteString("name", what.Name);
        WriteNumber(json, "zones", what.Zones);
        WriteNumber(json, "usd_month", row.IsUnknown ? null : Math.Round(row.Cost.KnownUsd, 4));
        json.WriteBoolean("complete", row.IsComplete);
        json.WriteStartObject("reasons");
        json.WriteString("security", what.Reasons.Security);
        json.WriteString("throughput", what.Reasons.Throughput);
        json.WriteString("cost", what.Reasons.Cost);
        json.WriteEndObject();
        WriteLines(json, "lines", row.Cost.Lines);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Price price)
    {
        json.WriteString("item", price.Item);
        json.WriteString("usage_type", price.UsageType);
        json.WriteString("unit", price.Unit);
        WriteNumber(json, "usd_unit", price.Usd);
        json.WriteString("as_of", price.AsOf);
        json.WriteString("source", price.Source);
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, decimal? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }
}
