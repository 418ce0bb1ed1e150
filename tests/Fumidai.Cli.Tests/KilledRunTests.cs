using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>
/// <c>kill -9</c> of the built program in the middle of <c>up</c> and <c>down</c>: the next run finishes the job, nothing is orphaned, no file is left.
/// The moment is the answer to a call picked by chance, so that a seed tells which; a failing one is repeated with it.
/// </summary>
public sealed class KilledRunTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(120);
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Fumidai.Cli");

    [Fact]
    public Task An_up_and_a_down_killed_at_random_moments_are_finished_by_the_next() => KillAsync(Random.Shared.Next(), ups: 1, downs: 1);

    /// <summary>Minutes: run by hand, <c>Fumidai.Cli.Tests --explicit only --filter-method '*Ten_ups*'</c>.</summary>
    [Fact(Explicit = true)]
    public Task Ten_ups_and_ten_downs_killed_at_random_moments_are_finished_by_the_next() => KillAsync(Random.Shared.Next(), ups: 10, downs: 10);

    private async Task KillAsync(int seed, int ups, int downs)
    {
        if (!OperatingSystem.IsLinux())
            return;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var upCalls = await CallsOfAsync("up");
        var downCalls = await CallsOfAsync("down");
        // A child in no hurry looks less often: it makes about these.
        var cases = Enumerable.Range(0, ups + downs)
            .Select(i => i < ups ? ("up", 1 + random.Next(Math.Min(upCalls, 16))) : ("down", 1 + random.Next(Math.Min(downCalls, 10)))).ToList();
        // Each waits for CloudFormation most of the time: four side by side.
        await Parallel.ForEachAsync(cases, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (one, _) =>
        {
            try
            {
                await KilledAsync(one.Item1, one.Item2);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{one.Item1} killed at call {one.Item2} (seed {seed}): {e.Message}", e);
            }
        });
    }

    /// <summary>How many calls a run makes that nobody disturbs.</summary>
    private static async Task<int> CallsOfAsync(string verb)
    {
        await using var lab = await StackLab.StartAsync();
        if (verb == "down")
            Assert.Equal(0, (await lab.HereAsync("up", "--yes")).ExitCode);
        var calls = 0;
        lab.OnCall = _ => Interlocked.Increment(ref calls);
        Assert.Equal(0, (await lab.HereAsync(verb, "--yes")).ExitCode);
        return calls;
    }

    private async Task KilledAsync(string verb, int moment)
    {
        await using var lab = await StackLab.StartAsync();
        var before = lab.Inventory();
        if (verb == "down")
            Assert.Equal(0, (await lab.HereAsync("up", "--pattern", "both", "--yes")).ExitCode);

        var at = await KillChildAsync(lab, moment, verb == "up" ? ["up", "--pattern", "both", "--yes"] : ["down", "--yes"]);
        output.WriteLine($"{verb} killed after {at}");

        if (verb == "up")
        {
            var next = await lab.HereAsync("up", "--pattern", "both", "--yes");
            Assert.True(next.ExitCode == 0, next.ToString());
            Assert.Contains("fumidai connect fumidai", next.Output, StringComparison.Ordinal);
            Assert.Contains("fumidai CREATE_COMPLETE", lab.Inventory(), StringComparison.Ordinal);
            Assert.Equal(["fumidai.yaml"], FilesOf(lab));
            Assert.True(lab.Read(m => m.Instances.Values.Count(i => i.State != "terminated")) == 2, lab.Inventory());
            var again = await lab.HereAsync("up", "--pattern", "both", "--yes");
            Assert.Contains("nothing to change", again.Error, StringComparison.Ordinal);
        }
        var down = await lab.HereAsync("down", "--yes");
        Assert.True(down.ExitCode == 0, down.ToString());
        Assert.Equal(before, lab.Inventory());
        Assert.Empty(FilesOf(lab));
        // One final snapshot, however often it was begun.
        Assert.True(lab.Read(m => m.DbClusterSnapshots.Count) <= 1);
    }

    private static async Task<string> KillChildAsync(StackLab lab, int moment, string[] words)
    {
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = lab.Folder,
        };
        foreach (var word in words)
            start.ArgumentList.Add(word);
        foreach (var (name, value) in new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AWS_ENDPOINT_URL"] = lab.Url,
            ["AWS_REGION"] = "ap-northeast-1",
            ["FUMIDAI_MY_IP_URL"] = lab.Url + "/my-ip",
            ["HOME"] = lab.Folder,
            ["DOTNET_EnableDiagnostics"] = "0",
        })
            start.Environment[name] = value;
        var (calls, last) = (0, "its start");
        var go = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        lab.OnCall = line =>
        {
            if (Interlocked.Increment(ref calls) != moment)
                return;
            last = string.Create(CultureInfo.InvariantCulture, $"call {moment}, {line.Split(' ')[1]}");
            // Before this call's answer is on its way.
            go.Task.Result.Kill();
        };
        using var child = Process.Start(start)!;
        go.SetResult(child);
        child.StandardInput.Close();
        using var guard = new CancellationTokenSource(Guard);
        var said = Task.WhenAll(child.StandardOutput.ReadToEndAsync(guard.Token), child.StandardError.ReadToEndAsync(guard.Token));
        await child.WaitForExitAsync(guard.Token);
        await said;
        lab.OnCall = null;
        return calls >= moment ? last : string.Create(CultureInfo.InvariantCulture, $"its end, after {calls} calls");
    }

    private static string[] FilesOf(StackLab lab) => [.. Directory.EnumerateFileSystemEntries(lab.Folder).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
}
