// A service whose database is behind a tunnel: opened before it starts, drained after it has stopped, watched by a health check and OpenTelemetry.
using Fumidai;
using Fumidai.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

var target = args is [var named, ..] ? named : "cluster/app";
var metrics = new List<Metric>();
var traces = new List<System.Diagnostics.Activity>();
// Exporters that only keep: yours would be OTLP. AddMeter and AddSource are all it takes.
using var meters = Sdk.CreateMeterProviderBuilder().AddMeter(Telemetry.Name).AddReader(new BaseExportingMetricReader(new Keep<Metric>(metrics))).Build();
using var tracer = Sdk.CreateTracerProviderBuilder().AddSource(Telemetry.Name).AddProcessor(new SimpleActivityExportProcessor(new Keep<System.Diagnostics.Activity>(traces))).Build();

var builder = Host.CreateApplicationBuilder();
builder.Services.AddFumidaiTunnel(target);
builder.Services.AddFumidaiDataSource(target, source => source.ConnectionStringBuilder.MaxPoolSize = 5);
builder.Services.AddHealthChecks().AddFumidaiTunnel(target);
builder.Services.AddHostedService<Work>();
using var host = builder.Build();
await host.RunAsync();

meters.ForceFlush();
Console.WriteLine($"metrics: {string.Join(' ', metrics.Select(m => m.Name).Order(StringComparer.Ordinal))}");
Console.WriteLine($"traces: {string.Join(' ', traces.Select(a => a.OperationName).Distinct().Order(StringComparer.Ordinal))}");

internal sealed class Work(IServiceProvider services, HealthCheckService health, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var dataSource = services.GetRequiredService<NpgsqlDataSource>();
        var answers = await Task.WhenAll(Enumerable.Range(1, 5).Select(async i =>
        {
            await using var command = dataSource.CreateCommand("select $1 * 10");
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = i });
            return (int)(await command.ExecuteScalarAsync(stoppingToken))!;
        }));
        Console.WriteLine($"answers: {string.Join(' ', answers)}");
        Console.WriteLine($"health: {(await health.CheckHealthAsync(stoppingToken)).Status}");
        lifetime.StopApplication();
    }
}

internal sealed class Keep<T>(List<T> kept) : BaseExporter<T> where T : class
{
    public override ExportResult Export(in Batch<T> batch)
    {
        foreach (var item in batch)
            kept.Add(item);
        return ExportResult.Success;
    }
}
