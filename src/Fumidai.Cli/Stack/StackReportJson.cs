using System.Globalization;

namespace Fumidai.Cli;

/// <summary>What <c>fumidai status --json</c> prints: one array, documented in docs/up.md.</summary>
internal static class StackReportJson
{
    internal static string Of(IReadOnlyList<StackReport> reports) => JsonEvents.Write(json =>
    {
        json.WriteStartArray();
        foreach (var report in reports)
        {
            var status = report.Status;
            json.WriteStartObject();
            json.WriteString("name", status.Stack.Name);
            json.WriteString("id", status.Stack.Id);
            json.WriteString("region", report.Region);
            json.WriteString("status", status.Stack.Status);
            json.WriteString("meaning", status.Standing.Sentence);
            JsonEvents.WriteText(json, "why", status.Why);
            JsonEvents.WriteText(json, "next", status.Standing.Next);
            JsonEvents.WriteText(json, "target", status.ClusterId is { } cluster ? $"cluster/{cluster}" : null);
            json.WriteStartArray("resources");
            foreach (var resource in status.Resources)
            {
                json.WriteStartObject();
                json.WriteString("resource", resource.LogicalId);
                json.WriteString("type", resource.Type);
                json.WriteString("status", resource.Status);
                JsonEvents.WriteText(json, "id", resource.PhysicalId);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteDrift(json, report);
            WriteBastions(json, report);
            json.WriteStartObject("cost");
            json.WriteNumber("usd_hour", Math.Round(report.Hour.KnownUsd, 6));
            json.WriteNumber("usd_today", Math.Round(report.Hour.KnownUsd * report.HoursToday, 4));
            json.WriteString("region", report.Region);
            JsonEvents.WriteText(json, "oldest_price", report.Hour.OldestPrice);
            json.WriteString("unknown", string.Join(", ", report.Hour.Unknown.Select(l => l.What)));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    private static void WriteDrift(System.Text.Json.Utf8JsonWriter json, StackReport report)
    {
        JsonEvents.WriteText(json, "drift_unknown", report.DriftUnknown);
        if (report.Drift is null)
        {
            json.WriteNull("drift");
            return;
        }
        json.WriteStartArray("drift");
        foreach (var one in report.Drift)
        {
            json.WriteStartObject();
            json.WriteString("resource", one.LogicalId);
            JsonEvents.WriteText(json, "id", one.PhysicalId);
            json.WriteString("status", one.Status);
            json.WriteStartArray("differences");
            foreach (var difference in one.Differences)
            {
                json.WriteStartObject();
                json.WriteString("path", difference.Path);
                JsonEvents.WriteText(json, "expected", difference.Expected);
                JsonEvents.WriteText(json, "actual", difference.Actual);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteBastions(System.Text.Json.Utf8JsonWriter json, StackReport report)
    {
        json.WriteStartArray("bastions");
        foreach (var bastion in report.Bastions)
        {
            json.WriteStartObject();
            json.WriteString("kind", bastion.Kind);
            json.WriteString("id", bastion.Id);
            JsonEvents.WriteText(json, "state", bastion.Instance?.State);
            JsonEvents.WriteText(json, "agent", bastion.Instance?.PingStatus);
            JsonEvents.WriteText(json, "address", bastion.Instance?.PublicAddress?.ToString());
            if (bastion.Sessions is null)
            {
                json.WriteNull("sessions");
            }
            else
            {
                json.WriteStartArray("sessions");
                foreach (var session in bastion.Sessions)
                {
                    json.WriteStartObject();
                    json.WriteString("id", session.Id);
                    json.WriteString("owner", session.Owner);
                    JsonEvents.WriteText(json, "started", session.Started?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
