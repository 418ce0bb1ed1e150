using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Fumidai;

/// <summary>
/// What can be watched of every tunnel in this process: an <see cref="ActivitySource"/> and a <see cref="Meter"/> of this name, for OpenTelemetry
/// or any other listener (docs/library.md lists what they tell). The Prometheus page of <c>fumidai tunnel --health-port</c> shows the same instruments.
/// </summary>
/// <remarks>
/// The numbers live here from the first tunnel on and instruments only read them, so that a listener that comes late misses nothing, and the
/// path of the bytes costs one interlocked addition whether anybody listens or not.
/// </remarks>
public static class Telemetry
{
    /// <summary>Name of the activity source and of the meter: <c>Fumidai</c>.</summary>
    public const string Name = "Fumidai";

    private static readonly ConcurrentDictionary<string, Count> OpenTunnels = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<(string Target, string Route), ChannelNumbers> Channels = new();
    private static readonly ConcurrentDictionary<(string Target, string Source, string Outcome), Count> SignIns = new();
    private static readonly string? Version = typeof(Telemetry).Assembly.GetName().Version?.ToString(3);
    private static readonly Meter Meter = CreateMeter();

    internal static ActivitySource Activities { get; } = new(Name, Version);

    /// <summary>A tunnel to the target is open until the result is disposed.</summary>
    internal static TunnelCount CountTunnel(string target) => new(OpenTunnels.GetOrAdd(target, static _ => new Count()));

    /// <summary>The numbers of one target over one route, shared by all connections that take it.</summary>
    internal static ChannelNumbers NumbersOf(string target, string route) => Channels.GetOrAdd((target, route), static _ => new ChannelNumbers());

    /// <summary>A login for the database was found, or not.</summary>
    /// <param name="target">The target's name.</param>
    /// <param name="source">secret, environment, passfile … : its first word counts.</param>
    /// <param name="outcome">ok or failed.</param>
    internal static void CountSignIn(string target, string source, string outcome)
    {
        var space = source.IndexOf(' ', StringComparison.Ordinal);
        SignIns.GetOrAdd((target, space < 0 ? source : source[..space], outcome), static _ => new Count()).Add(1);
    }

    /// <summary>Runs one step as an activity (named <paramref name="name"/>) that ends with it; a failure becomes its status, without any secret.</summary>
    internal static async Task<T> TraceAsync<T>(string name, Target target, Func<Task<T>> step)
    {
        using var activity = Activities.StartActivity(name, ActivityKind.Client);
        activity?.SetTag("fumidai.target", target.Name).SetTag("server.address", target.Address.Host).SetTag("server.port", target.Address.Port);
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            activity?.SetTag("error.type", e is FumidaiException f ? f.Reason.ToString() : e.GetType().FullName).SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    /// <summary>Looks up a login: an activity and a count, whatever comes of it.</summary>
    internal static async Task<FoundLogin> SignInAsync(Target target, Func<Task<FoundLogin>> find)
    {
        try
        {
            var login = await TraceAsync("fumidai.sign_in", target, find).ConfigureAwait(false);
            CountSignIn(target.Name, login.Source, "ok");
            return login;
        }
        catch (FumidaiException)
        {
            CountSignIn(target.Name, "none", "failed");
            throw;
        }
    }

    // The instruments exist from the first use of any member on; nobody else holds the meter.
    private static Meter CreateMeter()
    {
        var meter = new Meter(Name, Version);
        meter.CreateObservableUpDownCounter("fumidai.tunnels", static () => OpenTunnels.Select(t => new Measurement<long>(t.Value.Value, Tag("fumidai.target", t.Key))), "{tunnel}", "Tunnels that are open");
        meter.CreateObservableUpDownCounter("fumidai.channels", static () => Read(n => n.Open), "{channel}", "Client connections that are open");
        meter.CreateObservableCounter("fumidai.channels.opened", static () => Read(n => n.Opened), "{channel}", "Client connections that reached the far end");
        meter.CreateObservableCounter("fumidai.channels.failed", static () => Read(n => n.Failed), "{channel}", "Client connections that were refused, or cut by the route");
        meter.CreateObservableCounter("fumidai.io", static () => ReadBytes(), "By", "Bytes copied: transmit to the target, receive from it");
        meter.CreateObservableCounter("fumidai.reconnects", static () => Read(n => n.Reconnects), "{reconnect}", "Sessions and connections that were lost and came back");
        meter.CreateObservableCounter("fumidai.sign_ins", static () => ReadSignIns(), "{sign_in}", "Logins looked up for a database");
        return meter;
    }

    private static IEnumerable<Measurement<long>> Read(Func<ChannelNumbers, long> value) =>
        Channels.Select(n => new Measurement<long>(value(n.Value), Tag("fumidai.target", n.Key.Target), Tag("fumidai.route", n.Key.Route)));

    private static IEnumerable<Measurement<long>> ReadBytes()
    {
        foreach (var ((target, route), numbers) in Channels)
        {
            yield return new(numbers.Up, Tag("fumidai.target", target), Tag("fumidai.route", route), Tag("network.io.direction", "transmit"));
            yield return new(numbers.Down, Tag("fumidai.target", target), Tag("fumidai.route", route), Tag("network.io.direction", "receive"));
        }
    }

    private static IEnumerable<Measurement<long>> ReadSignIns() =>
        SignIns.Select(s => new Measurement<long>(s.Value.Value, Tag("fumidai.target", s.Key.Target), Tag("fumidai.sign_in.source", s.Key.Source), Tag("fumidai.sign_in.outcome", s.Key.Outcome)));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    internal sealed class Count
    {
        private long _value;

        internal long Value => Interlocked.Read(ref _value);

        internal void Add(long by) => Interlocked.Add(ref _value, by);
    }

    /// <summary>One open tunnel; counted down once.</summary>
    internal sealed class TunnelCount : IDisposable
    {
        private Count? _count;

        internal TunnelCount(Count count)
        {
            count.Add(1);
            _count = count;
        }

        public void Dispose() => Interlocked.Exchange(ref _count, null)?.Add(-1);
    }
}
