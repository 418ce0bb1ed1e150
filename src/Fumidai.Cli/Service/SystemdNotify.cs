using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Fumidai.Cli;

/// <summary>
/// Tells systemd how a service fares: ready, stopping, alive. Source: sd_notify(3), sd_watchdog_enabled(3). Nothing is told where
/// <c>NOTIFY_SOCKET</c> is not set, and a supervisor that does not listen is no failure of ours.
/// </summary>
internal sealed class SystemdNotify : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _supervisor;
    private readonly ITimer? _watchdog;

    private SystemdNotify(Socket? socket, UnixDomainSocketEndPoint? supervisor, TimeSpan? interval, TimeProvider time)
    {
        (_socket, _supervisor, WatchdogInterval) = (socket, supervisor, interval);
        // Half of what is allowed, as systemd advises. From the thread pool: when that stands still, so do we, and systemd is right to act.
        if (interval is { } within)
            _watchdog = time.CreateTimer(_ => Send("WATCHDOG=1"), null, TimeSpan.Zero, within / 2);
    }

    /// <summary>How often systemd wants to hear that we live; null: it does not ask.</summary>
    internal TimeSpan? WatchdogInterval { get; }

    /// <param name="environment">Reads NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.</param>
    /// <param name="processId">Our own: a watchdog that is meant for another process is none of our business.</param>
    /// <param name="time">The clock.</param>
    internal static SystemdNotify Open(Func<string, string?> environment, int processId, TimeProvider time)
    {
        // A path, or @ for a name outside the file system; systemd's other form (vsock) is for virtual machines.
        if (OperatingSystem.IsWindows() || environment("NOTIFY_SOCKET") is not { Length: > 1 } name || name[0] is not ('/' or '@'))
            return new SystemdNotify(null, null, null, time);
        try
        {
            var supervisor = new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name);
            return new SystemdNotify(new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified), supervisor, Interval(environment, processId), time);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or PlatformNotSupportedException)
        {
            return new SystemdNotify(null, null, null, time);
        }
    }

    /// <summary>Clients may connect.</summary>
    internal void Ready(string status) => Send($"READY=1\nSTATUS={OneLine(status)}");

    /// <summary>What we do now, for <c>systemctl status</c>.</summary>
    internal void Status(string status) => Send($"STATUS={OneLine(status)}");

    /// <summary>The end has begun; <paramref name="within"/> is how long it may take, which systemd then allows.</summary>
    internal void Stopping(TimeSpan within) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"STOPPING=1\nEXTEND_TIMEOUT_USEC={within.Ticks / TimeSpan.TicksPerMicrosecond}"));

    public void Dispose()
    {
        _watchdog?.Dispose();
        _socket?.Dispose();
    }

    private static TimeSpan? Interval(Func<string, string?> environment, int processId)
    {
        if (environment("WATCHDOG_PID") is { Length: > 0 } pid && pid != processId.ToString(CultureInfo.InvariantCulture))
            return null;
        return long.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds is > 0 and < long.MaxValue / 10
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private void Send(string message)
    {
        try
        {
            _socket?.SendTo(Encoding.UTF8.GetBytes(message), _supervisor!);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody listens there any more.
        }
    }
}
