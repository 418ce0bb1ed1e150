using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class PluginLinkTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("fumidai-cli-tests-").FullName;
    private readonly string _program;

    public PluginLinkTests()
    {
        _program = Path.Combine(_home, "fumidai");
        File.WriteAllText(_program, "program");
    }

    private string Link => Path.Combine(_home, "bin", PluginLink.Name);

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void The_folder_is_made_and_the_link_leads_to_the_program()
    {
        Assert.Equal(Link, Install());

        Assert.Equal("program", File.ReadAllText(Link));
        Assert.Equal([Link], Directory.GetFiles(Path.Combine(_home, "bin")));
    }

    [Fact]
    public void Our_own_link_is_renewed_even_when_it_leads_nowhere()
    {
        Install();
        var moved = Path.Combine(_home, "elsewhere", "fumidai");
        Directory.CreateDirectory(Path.GetDirectoryName(moved)!);
        File.Move(_program, moved);

        PluginLink.Install(moved, Path.Combine(_home, "bin"), force: false);

        Assert.Equal("program", File.ReadAllText(Link));
    }

    [Fact]
    public void A_foreign_file_is_left_alone_unless_forced()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Link)!);
        File.WriteAllText(Link, "theirs");

        var refused = Assert.Throws<FumidaiException>(() => Install());
        Assert.Contains("--force", refused.Message, StringComparison.Ordinal);
        Assert.Equal("theirs", File.ReadAllText(Link));

        Install(force: true);
        Assert.Equal("program", File.ReadAllText(Link));
    }

    [Fact]
    public void A_folder_in_its_place_is_never_removed()
    {
        Directory.CreateDirectory(Link);

        Assert.Throws<FumidaiException>(() => Install());
        Assert.Throws<FumidaiException>(() => Install(force: true));
        Assert.Equal([Link], Directory.GetFileSystemEntries(Path.Combine(_home, "bin")));
    }

    [Fact]
    public void By_default_it_goes_to_the_first_folder_of_the_user_s_own_on_PATH()
    {
        var own = Path.Combine(_home, "own");
        Directory.CreateDirectory(own);
        var local = Path.Combine(_home, ".local", "bin");

        Assert.Equal(own, Default("/usr/bin", Path.Combine(_home, "missing"), "relative", own, local));
        Assert.Equal(local, Default("/usr/bin", local, own));
        Assert.Null(Default("/usr/bin", "/usr/local/bin"));
        Assert.Empty(Directory.GetFileSystemEntries(own));
    }

    [Fact]
    public async Task Where_PATH_leads_elsewhere_it_is_said()
    {
        var ran = await InProcess.RunAsync(["plugin", "install", "--dir", "bin"], new Dictionary<string, string> { ["PATH"] = "/usr/bin" }, _home);

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.Equal(Link + "\n", ran.Output);
        Assert.Contains("is not on PATH", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_folder_of_one_s_own_it_says_what_to_name()
    {
        var ran = await InProcess.RunAsync(["plugin", "install"], new Dictionary<string, string> { ["PATH"] = "/usr/bin", ["HOME"] = _home, ["USERPROFILE"] = _home });

        Assert.Equal(ExitCodes.NotFound, ran.ExitCode);
        Assert.Contains("--dir DIR", Assert.Single(ran.ErrorLines), StringComparison.Ordinal);
    }

    private string Install(bool force = false) => PluginLink.Install(_program, Path.Combine(_home, "bin"), force);

    private string? Default(params string[] folders) => PluginLink.DefaultFolder(name => name switch
    {
        "PATH" => string.Join(Path.PathSeparator, folders),
        "HOME" or "USERPROFILE" => _home,
        _ => null,
    });
}
