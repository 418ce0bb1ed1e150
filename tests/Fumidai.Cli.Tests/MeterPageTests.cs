using System.Diagnostics.Metrics;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class MeterPageTests
{
    [Fact]
    public void Instruments_become_families_in_Prometheus_s_text_format()
    {
        using var meter = new Meter("test." + nameof(Instruments_become_families_in_Prometheus_s_text_format));
        meter.CreateObservableCounter("fumidai.io", () => new Measurement<long>(12, new("fumidai.target", "a \"b\" \\ c\nd"), new("network.io.direction", "transmit")), "By", "Bytes");
        meter.CreateObservableUpDownCounter("fumidai.tunnels", () => new Measurement<long>(-1), "{tunnel}", "Tunnels");
        using var page = new MeterPage(meter.Name);

        Assert.Equal(
            $$"""
            # HELP fumidai_build_info The version that runs
            # TYPE fumidai_build_info gauge
            fumidai_build_info{version="{{Surroundings.Version}}"} 1
            # HELP fumidai_io_bytes_total Bytes
            # TYPE fumidai_io_bytes_total counter
            fumidai_io_bytes_total{target="a \"b\" \\ c\nd",direction="transmit"} 12
            # HELP fumidai_tunnels Tunnels
            # TYPE fumidai_tunnels gauge
            fumidai_tunnels{} -1

            """.ReplaceLineEndings("\n"),
            page.Text());
        Assert.Equal(page.Text(), page.Text());
    }

    [Fact]
    public void Every_series_that_the_documentation_names_is_an_instrument_of_the_library_and_no_other()
    {
        var published = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == Telemetry.Name)
                    published.Add(instrument.Name.Replace('.', '_') + (instrument.Unit == "By" ? "_bytes" : "") + (instrument is ObservableCounter<long> ? "_total" : ""));
            },
        };
        System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(Telemetry).TypeHandle);
        listener.Start();

        var document = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "service.md"))
            .Where(l => l.StartsWith("| `fumidai_", StringComparison.Ordinal)).Select(l => l.Split('`')[1]).Where(n => n != "fumidai_build_info");
        Assert.Equal(published.Order(StringComparer.Ordinal), document.Order(StringComparer.Ordinal));
    }
}
