using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Fumidai.Cli;

/// <summary>
/// The library's meter as a page for Prometheus (text format 0.0.4): dots become underscores, bytes are named so, counters end in
/// <c>_total</c>. It reads the very instruments that OpenTelemetry would.
/// </summary>
internal sealed class MeterPage : IDisposable
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, (Instrument Instrument, List<string> Lines)> _families = new(StringComparer.Ordinal);

    /// <param name="meter">Name of the meter to show.</param>
    internal MeterPage(string meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meter && instrument.IsObservable)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>(Take);
        _listener.Start();
    }

    internal string Text()
    {
        lock (_gate)
        {
            _families.Clear();
            _listener.RecordObservableInstruments();
            var page = new StringBuilder();
            page.Append(CultureInfo.InvariantCulture, $"# HELP fumidai_build_info The version that runs\n# TYPE fumidai_build_info gauge\nfumidai_build_info{{version=\"{Escape(Surroundings.Version)}\"}} 1\n");
            foreach (var (name, (instrument, lines)) in _families.OrderBy(f => f.Key, StringComparer.Ordinal))
            {
                page.Append(CultureInfo.InvariantCulture, $"# HELP {name} {instrument.Description}\n# TYPE {name} {(IsCounter(instrument) ? "counter" : "gauge")}\n");
                foreach (var line in lines.Order(StringComparer.Ordinal))
                    page.Append(line).Append('\n');
            }
            return page.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    // Only ever called from RecordObservableInstruments, so inside the gate.
    private void Take(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "By" ? "_bytes" : "") + (IsCounter(instrument) ? "_total" : "");
        if (!_families.TryGetValue(name, out var family))
            _families.Add(name, family = (instrument, []));
        var labels = new StringBuilder();
        foreach (var (tag, label) in tags)
            labels.Append(labels.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{Label(tag)}=\"{Escape(label?.ToString() ?? "")}\"");
        family.Lines.Add(string.Create(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {value}"));
    }

    private static bool IsCounter(Instrument instrument) => instrument is ObservableCounter<long>;

    // What every series of ours carries needs no prefix: target, route; others keep their name.
    private static string Label(string tag) => tag.Replace("fumidai.", "", StringComparison.Ordinal).Replace("network.io.", "", StringComparison.Ordinal).Replace('.', '_');

    private static string Escape(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
