using System.Diagnostics;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>The judge that knows AWS's schemas.</summary>
public sealed class CfnLintTests
{
    [Fact]
    public async Task Every_part_and_every_combination_passes_without_a_warning()
    {
        var lint = TestMachine.Find("cfn-lint");
        Assert.SkipWhen(lint is null, "cfn-lint is not on PATH (pip install cfn-lint)");
        var folder = Directory.CreateTempSubdirectory("fumidai-templates-");
        try
        {
            var count = 0;
            foreach (var (name, plan) in Sites.All())
            {
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, name + ".yaml"), plan.Template, TestContext.Current.CancellationToken);
                count++;
            }
            foreach (var part in Directory.GetFiles(TemplateFiles.Folder, "*.yaml"))
                File.Copy(part, Path.Combine(folder.FullName, "part-" + Path.GetFileName(part)));
            Assert.True(count >= 40, $"only {count} combinations");
            var start = new ProcessStartInfo(lint!) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in (string[])["-r", "ap-northeast-1", "us-east-1", "--", .. Directory.GetFiles(folder.FullName)])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0 && output.Trim().Length == 0, $"cfn-lint: {process.ExitCode}\n{output}\n{await errors}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

internal static class TemplateFiles
{
    public static string Folder { get; } = Find();

    private static string Find()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (Directory.Exists(Path.Combine(d.FullName, "src/Fumidai.Stacks/templates")))
                return Path.Combine(d.FullName, "src/Fumidai.Stacks/templates");
        }
        throw new InvalidOperationException("src/Fumidai.Stacks/templates not found above " + AppContext.BaseDirectory);
    }
}
