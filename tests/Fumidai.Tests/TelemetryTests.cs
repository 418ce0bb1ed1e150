using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Tests;

public sealed class TelemetryTests
{
    private static async Task SinkAsync(MemoryChannel channel)
    {
        var said = await channel.Far.ReadToEndAsync();
        await channel.Far.Output.WriteAsync(new byte[said.Length * 2]);
        await channel.Far.Output.CompleteAsync();
    }

    [Fact]
    public async Task Tunnels_channels_bytes_and_reconnects_are_counted_by_target()
    {
        // A target of this test's own: the numbers are the process's.
        var destination = new HostPort("counted.internal", 5432);
        var name = $"host/{destination}";
        var request = Requests.To(destination);
        var route = new MemoryRoute(SinkAsync);
        var tunnel = await Tunnel.OpenAsync(request, 0, "eu-west-1", (_, _) => Task.FromResult<IRoute>(route), TestContext.Current.CancellationToken);
        Assert.Equal(1, Read("fumidai.tunnels", name));

        using (var client = await Sockets.ConnectAsync(tunnel.Local))
        {
            await client.SendAllAsync(new byte[1000]);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(2000, (await client.ReadToEndAsync().WaitAsync(Requests.Guard)).Length);
        }
        route.Refuse = _ => new FumidaiException(Reason.NoRoute, "refused");
        Assert.True(await Sockets.IsResetAsync(tunnel.Local).WaitAsync(Requests.Guard));
        request.Tell("reconnected", "back", ("route", "memory"));
        await tunnel.DisposeAsync();

        Assert.Equal(0, Read("fumidai.tunnels", name));
        Assert.Equal(0, Read("fumidai.channels", name));
        Assert.Equal(1, Read("fumidai.channels.opened", name));
        Assert.Equal(1, Read("fumidai.channels.failed", name));
        Assert.Equal(1000, Read("fumidai.io", name, "transmit"));
        Assert.Equal(2000, Read("fumidai.io", name, "receive"));
        Assert.Equal(1, Read("fumidai.reconnects", name));
    }

    [Fact]
    public async Task Opening_is_an_activity_that_connections_do_not_belong_to()
    {
        var destination = new HostPort("traced.internal", 5432);
        var stopped = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Telemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("server.address") is "traced.internal")
                    stopped.Enqueue(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        var route = new MemoryRoute(SinkAsync) { Refuse = _ => new FumidaiException(Reason.NoRoute, "no", "refused") };
        await using var tunnel = await Tunnel.OpenAsync(Requests.To(destination), 0, "eu-west-1", (_, _) => Task.FromResult<IRoute>(route), TestContext.Current.CancellationToken);
        Assert.True(await Sockets.IsResetAsync(tunnel.Local).WaitAsync(Requests.Guard));
        await tunnel.DisposeAsync();

        var open = Assert.Single(stopped, a => a.OperationName == "fumidai.tunnel.open");
        Assert.Equal(ActivityStatusCode.Unset, open.Status);
        var channel = Assert.Single(stopped, a => a.OperationName == "fumidai.channel.open");
        Assert.Equal(ActivityStatusCode.Error, channel.Status);
        Assert.Equal("NoRoute", channel.GetTagItem("error.type"));
        Assert.Null(channel.Parent);
        Assert.NotEqual(open.TraceId, channel.TraceId);
    }

    [Fact]
    public async Task Sign_ins_are_counted_by_source_and_outcome()
    {
        var target = new Target { Name = "host/signed.internal:5432", Address = new("signed.internal", 5432) };

        await Telemetry.SignInAsync(target, () => Task.FromResult(new FoundLogin("u", null, "secret rds!cluster-x")));
        await Assert.ThrowsAsync<FumidaiException>(() => Telemetry.SignInAsync(target, () => throw new FumidaiException(Reason.SignIn, "no")));

        Assert.Equal(1, Read("fumidai.sign_ins", target.Name, "secret"));
        Assert.Equal(1, Read("fumidai.sign_ins", target.Name, "failed"));
    }

    private static long Read(string instrument, string target, string? tag = null)
    {
        var sum = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (published, self) =>
            {
                if (published.Meter.Name == Telemetry.Name && published.Name == instrument)
                    self.EnableMeasurementEvents(published);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            var all = tags.ToArray();
            if (all.Contains(new("fumidai.target", target)) && (tag is null || all.Any(t => t.Value as string == tag)))
                sum += value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return sum;
    }
}
