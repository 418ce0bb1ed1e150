using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class ClientProgramTests
{
    [Fact]
    public void A_name_is_looked_for_on_PATH_and_a_path_in_the_working_directory()
    {
        Assert.Equal("/bin/sh", ClientProgram.Find("sh", Around("/nowhere:/bin")));
        Assert.Equal("/bin/sh", ClientProgram.Find("./sh", Around("", "/bin")));
        Assert.Equal("/bin/sh", ClientProgram.Find("/bin/sh", Around("")));
    }

    [Theory]
    [InlineData("no-such-program")]
    [InlineData("./no-such-program")]
    [InlineData("/etc/passwd")]
    [InlineData("/etc")]
    public void What_cannot_run_is_not_found(string name) =>
        Assert.Equal(Reason.NotFound, Assert.Throws<FumidaiException>(() => ClientProgram.Find(name, Around("/bin"))).Reason);

    [Fact]
    public void A_missing_psql_comes_with_what_to_install() =>
        Assert.Contains("nstall", Assert.Throws<FumidaiException>(() => ClientProgram.Find("psql", Around("/nowhere"))).Next, StringComparison.Ordinal);

    [Theory]
    [InlineData("ID=debian\n", "apt-get install postgresql-client")]
    [InlineData("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt-get install postgresql-client")]
    [InlineData("ID=\"amzn\"\nID_LIKE=\"fedora\"\n", "dnf install postgresql17")]
    [InlineData("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", "dnf install postgresql")]
    [InlineData("ID=alpine\n", "apk add postgresql-client")]
    [InlineData("ID=arch\n", "pacman -S postgresql-libs")]
    [InlineData("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "zypper install postgresql")]
    [InlineData("", "your system's package")]
    [InlineData("ID\n=x\nNAME=debian", "your system's package")]
    public void The_advice_fits_the_system(string release, string advice) =>
        Assert.Contains(advice, ClientProgram.InstallPsqlOn(release), StringComparison.Ordinal);

    private static Surroundings Around(string path, string folder = "/") =>
        InProcess.Surroundings(TextWriter.Null, TextWriter.Null, new Dictionary<string, string> { ["PATH"] = path }, folder);
}
