using System.Diagnostics;
using CsCheck;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class ExportsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:4566", "export A=http://127.0.0.1:4566")]
    [InlineData("/tmp/a b", "export A='/tmp/a b'")]
    [InlineData("it's", @"export A='it'\''s'")]
    [InlineData("", "export A=''")]
    [InlineData("$(id)", "export A='$(id)'")]
    public void A_value_is_quoted_where_a_shell_would_read_something_else(string value, string line) => Assert.Equal(line, Exports.Line("A", value));

    [Fact]
    public void A_shell_reads_back_what_was_exported()
    {
        if (OperatingSystem.IsWindows())
            return;
        // One shell for all: each line is evaluated and its value printed, ended by a NUL.
        var values = new List<string>();
        Gen.String[Gen.Char[' ', '~'], 0, 20].Sample(values.Add, iter: 200, threads: 1);
        var script = string.Concat(values.Select(v => $"{Exports.Line("A", v)}\nprintf '%s\\0' \"$A\"\n"));
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        using var shell = Process.Start(start)!;

        Assert.Equal(values, shell.StandardOutput.ReadToEnd().Split('\0')[..^1]);
    }
}
