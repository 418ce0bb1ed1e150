using System.Diagnostics;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>The script that stops a bastion, run by a real shell among stand-ins for the programs it asks.</summary>
public sealed class IdleStopTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fumidai-idle-");

    private string Mark => Path.Combine(_folder.FullName, "last-use");

    public void Dispose() => _folder.Delete(recursive: true);

    private static string UserData(string bastion, int idleMinutes)
    {
        var document = new TemplateDocument(Sites.Plan(StackPattern.Both).Template);
        return TemplateDocument.Text(document.Property(bastion, "UserData")!, "Fn::Base64")!.Replace("${IdleMinutes}", idleMinutes.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    private async Task<bool> StopsAsync(int uptime, string workers = "", string ssh = "")
    {
        var lines = UserData("PrivateBastion", 30).Split('\n').SkipWhile(l => !l.StartsWith("cat >/usr/local/sbin/fumidai-idle-stop", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l != "SCRIPT");
        var script = string.Join('\n', lines).Replace("/run/fumidai-last-use", Mark, StringComparison.Ordinal).Replace("/proc/uptime", Path.Combine(_folder.FullName, "uptime"), StringComparison.Ordinal);
        var off = Path.Combine(_folder.FullName, "off");
        File.Delete(off);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "uptime"), $"{uptime}.42 1.00\n");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "processes"), workers);
        Stand("pgrep", "grep -q -- \"$2\" \"$(dirname \"$0\")/processes\"");
        Stand("ss", $"echo -n '{ssh}'");
        Stand("systemctl", $"[ \"$1\" = poweroff ] && touch '{off}'");
        Stand("logger", ":");
        var start = new ProcessStartInfo("bash") { RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        start.Environment["PATH"] = _folder.FullName + ":" + Environment.GetEnvironmentVariable("PATH");
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal("", errors);
        return File.Exists(off);
    }

    private void Stand(string program, string body)
    {
        var path = Path.Combine(_folder.FullName, program);
        File.WriteAllText(path, "#!/bin/bash\n" + body + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task It_stops_after_thirty_minutes_without_anybody_and_not_a_second_before()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the script is for Linux");
        Assert.False(await StopsAsync(120));
        Assert.False(await StopsAsync(120 + 1799));
        Assert.True(await StopsAsync(120 + 1800));
    }

    [Theory]
    [InlineData("/usr/bin/ssm-session-worker alice-0a1b", "")]
    [InlineData("/usr/bin/python3 /usr/bin/dnf -y --security upgrade", "")]
    [InlineData("", "0 0 10.86.0.5:22 203.0.113.7:50000")]
    public async Task A_session_an_update_or_somebody_on_SSH_begins_the_count_anew(string process, string ssh)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the script is for Linux");
        Assert.False(await StopsAsync(120));
        Assert.False(await StopsAsync(4000, process, ssh));
        Assert.False(await StopsAsync(4000 + 1799));
        Assert.True(await StopsAsync(4000 + 1800));
    }

    [Theory]
    [InlineData("PrivateBastion")]
    [InlineData("PublicBastion")]
    public async Task The_user_data_is_a_boothook_that_a_shell_can_read(string bastion)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the script is for Linux");
        var script = UserData(bastion, 0);
        Assert.StartsWith("#cloud-boothook\n#!/bin/bash\n", script, StringComparison.Ordinal);
        Assert.DoesNotContain("${", script, StringComparison.Ordinal);
        // EC2 takes 16 KiB.
        Assert.InRange(script.Length, 500, 16_000);
        var start = new ProcessStartInfo("bash") { RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add("-n");
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(script);
        process.StandardInput.Close();
        Assert.Equal("", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}
