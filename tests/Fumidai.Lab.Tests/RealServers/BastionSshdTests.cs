using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class BastionSshdTests
{
    private const string PrivateName = "app.cluster-lab.ap-northeast-1.rds.amazonaws.com";

    [Fact]
    public async Task A_pushed_key_opens_a_login_that_reaches_the_private_name_and_only_while_it_lives()
    {
        await using var fixture = new ServerFixture();
        var room = await SshdRoom.FindAsync(ServerFixture.Limit);
        Assert.SkipWhen(room is SshdRoom.None, room is SshdRoom.None none ? none.Why : "");
        await ReachAsync(fixture, room);
    }

    [Fact]
    public async Task Without_namespaces_nss_wrapper_gives_the_same_bastion()
    {
        await using var fixture = new ServerFixture();
        const string library = "/usr/lib/x86_64-linux-gnu/libnss_wrapper.so";
        Assert.SkipUnless(File.Exists(library), "libnss-wrapper is not installed");
        await ReachAsync(fixture, new SshdRoom.Wrapper(Programs.Find("sshd")!, Programs.Find("ssh-keygen")!, library));
    }

    [Fact]
    public async Task The_host_key_stays_when_the_instance_is_stopped_and_started()
    {
        await using var fixture = new ServerFixture();
        var room = await SshdRoom.FindAsync(ServerFixture.Limit);
        Assert.SkipWhen(room is SshdRoom.None, "no sshd");
        var folder = Path.Combine(fixture.Servers, "i-0abc");
        await using (await BastionSshd.StartAsync(room, folder, ServerFixture.FreshAddress(), fixture.Keeper, TimeProvider.System, ServerFixture.Limit))
        {
        }
        var key = await File.ReadAllTextAsync(Path.Combine(folder, "ssh_host_ed25519_key.pub"), ServerFixture.Limit);
        await using var again = await BastionSshd.StartAsync(room, folder, ServerFixture.FreshAddress(), fixture.Keeper, TimeProvider.System, ServerFixture.Limit);
        var (_, scanned, _) = await ForeignProgram.RunAsync("ssh-keyscan", ["-t", "ed25519", "-p", again.Listening.Port.ToString(CultureInfo.InvariantCulture), again.Listening.Address.ToString()]);
        Assert.Equal(key.Split(' ')[1].Trim(), scanned.Trim().Split(' ')[^1]);
    }

    private static async Task ReachAsync(ServerFixture fixture, SshdRoom room)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        await using var sshd = await BastionSshd.StartAsync(room, Path.Combine(fixture.Servers, "i-0abc"), ServerFixture.FreshAddress(), fixture.Keeper, clock, ServerFixture.Limit);
        using var far = new TcpListener(IPAddress.Loopback, 0);
        far.Start();
        var farPort = ((IPEndPoint)far.LocalEndpoint).Port;
        sshd.SetNames([new(PrivateName, IPAddress.Loopback)]);
        await Assert.ThrowsAsync<SocketException>(() => Dns.GetHostAddressesAsync(PrivateName, ServerFixture.Limit));

        var key = Path.Combine(fixture.Folder, "id");
        Assert.Equal(0, (await ForeignProgram.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])).Code);
        var line = string.Join(' ', (await File.ReadAllTextAsync(key + ".pub", ServerFixture.Limit)).Split(' ')[..2]);
        string[] login =
        [
            "-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", $"UserKnownHostsFile={key}.known",
            "-p", sshd.Listening.Port.ToString(CultureInfo.InvariantCulture), $"ec2-user@{sshd.Listening.Address}",
        ];

        var (code, _, error) = await ForeignProgram.RunAsync("ssh", [.. login, "id"]);
        Assert.Equal(255, code);
        Assert.Contains("Permission denied (publickey)", error, StringComparison.Ordinal);

        sshd.Keys.Push("ec2-user", line);
        (code, var output, error) = await ForeignProgram.RunAsync("ssh", [.. login, "echo $USER"]);
        Assert.True(code == 0, error);
        Assert.Equal("ec2-user\n", output);

        var answered = AnswerAsync(far);
        (code, output, error) = await ForeignProgram.RunAsync("ssh", ["-W", $"{PrivateName}:{farPort}", .. login]);
        Assert.True(code == 0, error);
        Assert.Equal("from inside", output);
        await answered;
        (code, _, error) = await ForeignProgram.RunAsync("ssh", ["-W", "another.name.internal:5432", .. login]);
        Assert.NotEqual(0, code);
        Assert.Contains("open failed", error, StringComparison.Ordinal);

        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(0, (await ForeignProgram.RunAsync("ssh", [.. login, "true"])).Code);
        clock.Advance(TimeSpan.FromSeconds(1));
        (code, _, error) = await ForeignProgram.RunAsync("ssh", [.. login, "true"]);
        Assert.Equal(255, code);
        Assert.Contains("Permission denied (publickey)", error, StringComparison.Ordinal);
    }

    private static async Task AnswerAsync(TcpListener far)
    {
        using var client = await far.AcceptTcpClientAsync(ServerFixture.Limit);
        await client.GetStream().WriteAsync("from inside"u8.ToArray(), ServerFixture.Limit);
    }
}
