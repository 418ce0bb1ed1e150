using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class SystemdNotifyTests : IDisposable
{
    private const int Pid = 4711;
    private readonly string _folder = Directory.CreateTempSubdirectory("fumidai-notify-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_says_ready_and_stopping_to_a_socket_in_or_outside_the_file_system(bool isAbstract)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var name = isAbstract ? $"@fumidai-test-{Guid.NewGuid():N}" : Path.Combine(_folder, "notify");
        using var supervisor = Supervisor(name);
        using var notify = Open(new FakeTimeProvider(), ("NOTIFY_SOCKET", name));

        notify.Ready("app on 127.0.0.1:5432\nmore");
        Assert.Equal("READY=1\nSTATUS=app on 127.0.0.1:5432 more", await HeardAsync(supervisor));
        notify.Stopping(TimeSpan.FromSeconds(40));
        Assert.Equal("STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000", await HeardAsync(supervisor));
        Assert.Null(notify.WatchdogInterval);
    }

    [Fact]
    public async Task The_watchdog_is_fed_twice_in_its_interval()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var name = Path.Combine(_folder, "notify");
        using var supervisor = Supervisor(name);
        var time = new FakeTimeProvider();
        using var notify = Open(time, ("NOTIFY_SOCKET", name), ("WATCHDOG_USEC", "20000000"), ("WATCHDOG_PID", "4711"));

        Assert.Equal("WATCHDOG=1", await HeardAsync(supervisor));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(0, supervisor.Available);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("WATCHDOG=1", await HeardAsync(supervisor));
    }

    [Theory]
    [InlineData("WATCHDOG_PID", "1")]
    [InlineData("WATCHDOG_USEC", "soon")]
    [InlineData("WATCHDOG_USEC", "0")]
    [InlineData("WATCHDOG_USEC", "99999999999999999999")]
    public void A_watchdog_of_somebody_else_or_without_sense_is_left_alone(string variable, string value)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var name = Path.Combine(_folder, "notify");
        using var supervisor = Supervisor(name);
        using var notify = Open(new FakeTimeProvider(), ("WATCHDOG_USEC", "20000000"), ("NOTIFY_SOCKET", name), (variable, value));

        Assert.Null(notify.WatchdogInterval);
    }

    [Theory]
    [InlineData("")]
    [InlineData("relative")]
    [InlineData("vsock:2:1")]
    [InlineData("/nowhere/at/all")]
    public void Without_a_supervisor_nothing_is_said_and_nothing_fails(string socket)
    {
        using var notify = Open(new FakeTimeProvider(), ("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", "1000"));
        notify.Ready("app");
        notify.Stopping(TimeSpan.Zero);
    }

    private static SystemdNotify Open(TimeProvider time, params (string Name, string Value)[] variables) =>
        SystemdNotify.Open(name => variables.LastOrDefault(v => v.Name == name).Value, Pid, time);

    private static Socket Supervisor(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(name[0] == '@' ? "\0" + name[1..] : name));
        return socket;
    }

    private static async Task<string> HeardAsync(Socket supervisor)
    {
        var buffer = new byte[1024];
        var read = await supervisor.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }
}
