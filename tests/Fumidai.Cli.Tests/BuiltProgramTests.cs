using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>The built program as a child, as a shell would start it.</summary>
public sealed class BuiltProgramTests : IDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Fumidai.Cli");
    private readonly string _folder = Directory.CreateTempSubdirectory("fumidai-cli-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("\"$0\" --version", 0, "fumidai ", "")]
    [InlineData("\"$0\"", 0, "fumidai ", "")]
    [InlineData("\"$0\" conect", 2, "", "fumidai: there is no verb “conect”. Did you mean connect?")]
    [InlineData("LANG=C LC_ALL=C \"$0\" conect", 2, "", "fumidai: there is no verb “conect”. Did you mean connect?")]
    [InlineData("\"$0\" --help >/dev/full", 1, "", "fumidai: cannot write to standard output: ")]
    [InlineData("\"$0\" conect 2>/dev/full", 2, "", "")]
    [InlineData("\"$0\" conect 2>&-", 2, "", "")]
    public async Task It_ends_and_speaks_as_it_should(string script, int code, string output, string error)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var ran = await ShellAsync(script);

        Assert.Equal(code, ran.Code);
        Assert.StartsWith(output, ran.Output, StringComparison.Ordinal);
        Assert.StartsWith(error, ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_has_seen_enough_is_no_failure()
    {
        if (OperatingSystem.IsWindows())
            return;
        // The reader is gone before the writer starts: the fifo's reading end is closed first.
        var ran = await ShellAsync("mkfifo p; exec 3<>p 4>p 3<&-; { \"$0\" --help; echo $? >&2; } >&4");

        Assert.Equal("0\n", ran.Error);
    }

    [Fact]
    public async Task A_file_shared_with_others_is_written_one_after_the_other()
    {
        if (OperatingSystem.IsWindows())
            return;
        await ShellAsync("{ echo before; \"$0\" --version; echo after; } >said");

        Assert.Matches(@"^before\nfumidai [\d.]+\nafter\n$", await File.ReadAllTextAsync(Path.Combine(_folder, "said"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Called_by_the_plugin_s_name_through_a_link_it_is_the_plugin()
    {
        if (OperatingSystem.IsWindows())
            return;
        PluginLink.Install(Program, _folder, force: false);

        Assert.Matches(@"^\d+\.\d+\.\d+\.\d+\n$", (await ShellAsync("PATH=$PWD:$PATH session-manager-plugin --version")).Output);
        Assert.Contains("installed successfully", (await ShellAsync("./session-manager-plugin")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 0)]
    [InlineData("QUIT", 0)]
    [InlineData("TSTP", 0)]
    [InlineData("TERM", 143)]
    public async Task The_plugin_hears_signals_that_its_caller_ignores(string signal, int code)
    {
        if (!OperatingSystem.IsLinux())
            return;
        PluginLink.Install(Program, _folder, force: false);
        // A service that takes the connection and says nothing: the session hangs in its first handshake.
        using var service = new TcpListener(IPAddress.Loopback, 0);
        service.Start();
        var port = ((IPEndPoint)service.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        using var shell = Start($$"""
            trap '' INT QUIT TSTP
            export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_EC2_METADATA_DISABLED=true HOME=$PWD
            export AWS_SSM_START_SESSION_RESPONSE='{"SessionId":"s","TokenValue":"t","StreamUrl":"ws://127.0.0.1:{{port}}/x"}'
            exec ./session-manager-plugin AWS_SSM_START_SESSION_RESPONSE eu-west-1 StartSession '' '{"Target":"i-0abc"}' http://127.0.0.1:{{port}}
            """);
        using var connection = await service.AcceptTcpClientAsync(TestContext.Current.CancellationToken);

        using (var kill = Process.Start("kill", ["-" + signal, shell.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);

        await shell.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Guard, TestContext.Current.CancellationToken);
        Assert.Equal(code, shell.ExitCode);
    }

    private async Task<(int Code, string Output, string Error)> ShellAsync(string script)
    {
        using var shell = Start(script);
        var (output, error) = (shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Guard, TestContext.Current.CancellationToken);
        return (shell.ExitCode, await output, await error);
    }

    private Process Start(string script)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder };
        foreach (var argument in (string[])["-c", script, Program])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
