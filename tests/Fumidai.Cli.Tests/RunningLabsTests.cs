using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class RunningLabsTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("fumidai-cli-tests-").FullName;
    private readonly Dictionary<string, string> _environment;

    public RunningLabsTests() => _environment = new() { ["HOME"] = _home, ["XDG_RUNTIME_DIR"] = Path.Combine(_home, "run"), ["LOCALAPPDATA"] = _home };

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void A_running_lab_is_found_with_its_variables_and_gone_when_it_ends()
    {
        var lab = Lab(4242, 4566, minute: 1);
        using (Labs().Announce(lab, null))
        {
            var found = Assert.Single(Labs().Find());
            Assert.Equal((lab.Process, lab.Port, lab.Started), (found.Process, found.Port, found.Started));
            Assert.Equal(lab.Variables, found.Variables);
        }

        Assert.Empty(Labs().Find());
        Assert.Empty(Files());
    }

    [Fact]
    public void Only_its_owner_can_read_it()
    {
        using var announced = Labs().Announce(Lab(4242, 4566, minute: 1), null);

        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Files())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.GetDirectoryName(Files()[0])!));
    }

    [Fact]
    public void Word_of_a_dead_lab_is_not_believed_even_when_its_process_id_lives_again()
    {
        using (Labs().Announce(Lab(Environment.ProcessId, 4566, minute: 1), null))
        {
            // What a killed lab leaves where nothing removed it: both files, nobody holding the lock.
            var word = Files().Single(f => f.EndsWith(".json", StringComparison.Ordinal));
            var dead = word.Replace("lab-", "lab-1", StringComparison.Ordinal);
            File.Copy(word, dead);
            File.WriteAllText(dead + ".lock", "");
            Assert.Single(Labs().Find());
            Assert.Equal(2, Files().Length);
        }
    }

    [Fact]
    public void What_others_wrote_there_is_passed_over()
    {
        using var announced = Labs().Announce(Lab(4242, 4566, minute: 1), null);
        var folder = Path.GetDirectoryName(Files()[0])!;
        foreach (var (name, content) in (ReadOnlySpan<(string, string)>)[("lab-1.json", "{"), ("lab-2.json", "{}"), ("lab-3.json", "[]"), ("lab-4.json", "")])
            File.WriteAllText(Path.Combine(folder, name), content);

        Assert.Equal(4566, Assert.Single(Labs().Find()).Port);
    }

    [Fact]
    public async Task Print_env_prints_the_youngest_or_the_one_on_a_port()
    {
        using var older = Labs().Announce(Lab(1, 4566, minute: 1), null);
        using var younger = Labs().Announce(Lab(2, 4567, minute: 2), null);

        var youngest = await InProcess.RunAsync(["lab", "--print-env"], _environment);
        var chosen = await InProcess.RunAsync(["lab", "--print-env", "--port", "4566"], _environment);
        var json = await InProcess.RunAsync(["lab", "--print-env", "--port", "4566", "--json"], _environment);

        Assert.Equal((0, "export AWS_ENDPOINT_URL=http://127.0.0.1:4567\nexport AWS_CA_BUNDLE='/tmp/a b'\n"), (youngest.ExitCode, youngest.Output));
        Assert.Contains("2 labs run", youngest.Error, StringComparison.Ordinal);
        Assert.Equal((0, ""), (chosen.ExitCode, chosen.Error));
        Assert.StartsWith("export AWS_ENDPOINT_URL=http://127.0.0.1:4566\n", chosen.Output, StringComparison.Ordinal);
        Assert.Equal("{\"AWS_ENDPOINT_URL\":\"http://127.0.0.1:4566\",\"AWS_CA_BUNDLE\":\"/tmp/a b\"}\n", json.Output);
    }

    [Fact]
    public async Task Print_env_without_a_lab_says_how_to_start_one_and_ends_with_5()
    {
        var none = await InProcess.RunAsync(["lab", "--print-env"], _environment);
        Assert.Equal((5, "", "fumidai: no lab runs. Start one in another terminal: fumidai lab\n"), (none.ExitCode, none.Output, none.Error));

        using var announced = Labs().Announce(Lab(1, 4566, minute: 1), null);
        var other = await InProcess.RunAsync(["lab", "--print-env", "--port", "1"], _environment);
        Assert.Equal((5, "fumidai: no lab runs on port 1. There is one on port 4566\n"), (other.ExitCode, other.Error));
    }

    [Fact]
    public async Task Without_a_home_there_is_no_place_to_look()
    {
        var ran = await InProcess.RunAsync(["lab", "--print-env"], new Dictionary<string, string> { ["XDG_RUNTIME_DIR"] = "relative" });

        Assert.Equal(ExitCodes.Configuration, ran.ExitCode);
        Assert.Single(ran.ErrorLines);
    }

    private RunningLabs Labs() => new(name => _environment.GetValueOrDefault(name));

    private string[] Files() => Directory.GetFiles(_home, "*", SearchOption.AllDirectories);

    private static RunningLab Lab(int process, int port, int minute) => new(
        process, port, new DateTimeOffset(2026, 11, 24, 12, minute, 0, TimeSpan.Zero),
        [KeyValuePair.Create("AWS_ENDPOINT_URL", $"http://127.0.0.1:{port}"), KeyValuePair.Create("AWS_CA_BUNDLE", "/tmp/a b")]);
}
