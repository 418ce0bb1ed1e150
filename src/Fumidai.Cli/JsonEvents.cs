using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Cli;

/// <summary>The JSON of <c>--json</c>. Documented and versioned in docs/events.md.</summary>
internal static class JsonEvents
{
    /// <summary>Version of the schema; grows when a member changes its meaning or goes, not when one comes.</summary>
    internal const int SchemaVersion = 1;

    // Names and arrows stay readable; the output never goes into HTML.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One event on one line. Whole numbers among the fields named so are written as numbers.</summary>
    internal static string Event(DateTimeOffset time, TunnelEvent told) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("version", SchemaVersion);
        json.WriteString("time", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteString("event", told.Kind);
        foreach (var (name, value) in told.Fields)
        {
            if (IsNumber(name) && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                json.WriteNumber(name, number);
            else
                json.WriteString(name, value);
        }
        json.WriteString("text", told.Text);
        json.WriteEndObject();
    });

    /// <summary>The list of targets, one array on one line.</summary>
    internal static string Targets(IReadOnlyList<TargetRow> rows) => Write(json =>
    {
        json.WriteStartArray();
        foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            json.WriteString("arn", row.Database.Arn);
            json.WriteString("engine", row.Database.Engine);
            WriteText(json, "engine_version", row.Database.EngineVersion);
            json.WriteString("status", row.Database.Status);
            WriteText(json, "endpoint", row.Database.Endpoint);
            WriteText(json, "reader_endpoint", row.Database.ReaderEndpoint);
            if (row.Database.Port > 0)
                json.WriteNumber("port", row.Database.Port);
            else
                json.WriteNull("port");
            WriteText(json, "vpc", row.Database.VpcId);
            WriteText(json, "database", row.Database.DatabaseName);
            json.WriteStartArray("routes");
            foreach (var route in row.Routes)
            {
                var space = route.IndexOf(' ', StringComparison.Ordinal);
                json.WriteStartObject();
                json.WriteString("route", space < 0 ? route : route[..space]);
                WriteText(json, "bastion", space < 0 ? null : route[(space + 1)..]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteText(json, "note", row.Note);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <summary>Variables and their values, one object on one line.</summary>
    internal static string Variables(IReadOnlyList<KeyValuePair<string, string>> variables) => Write(json =>
    {
        json.WriteStartObject();
        foreach (var (name, value) in variables)
            json.WriteString(name, value);
        json.WriteEndObject();
    });

    private static bool IsNumber(string name) => name is "port" or "exit_code" or "pid" or "attempt" or "duration_ms" or "connections";

    internal static void WriteText(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
            json.WriteNull(name);
        else
            json.WriteString(name, value);
    }

    internal static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
