using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>Twenty malformed inputs per verb: one clear line, the documented exit code, nothing on stdout, no stack trace.</summary>
public sealed class MalformedCommandLineTests
{
    // Words are separated by one blank; ␀ stands for an empty word, ␤ for a line end in one.
    private static readonly string[] WithoutVerb =
    [
        "conect", "Connect", "tunel app", "target", "targts", "exce app -- ls", "upp", "dwon", "states", "docter app",
        "--region eu-west-1", "-v", "--", "-- psql", "␀", "␤", "\u001b[31mconnect", "--version x", "plugin", "plugin instal",
        "plugin --dir x", "plugin uninstall", "connect\u0000", "/etc/passwd", "help nothing", "-", "--nothing", "nothing --help", "lab2",
    ];

    private static readonly string[] OfConnect =
    [
        "a b", "a psql -c", "--port", "a --port", "a --port abc", "a --port -1", "a --port 65536", "a --port 1.5", "a --port 0x10", "a --port 99999999999999999999",
        "a --port 1 --port 2", "a --via", "a --via SSM", "a --via direct", "a --via ␀", "a --bastion bastion", "a --bastion i-", "a --bastion tag:", "a --bastion tag:=x", "a --region EU",
        "a --region ␀", "a --region eu-west-1;id", "a --endpoint-url localhost:4566", "a --endpoint-url ftp://x", "a --endpoint-url ␀", "a --prot 1", "a -p 1", "a --json=true", "a --quiet:1", "␀",
        "␤", "a\u001b[2J", "a --identity ␀", "a --secret ␀", "a --user ␀", "a --database ␤", "a --ca-file ␀", "a --config ␀", "a --no-json", "a --dir x", "@file b",
        "cluster/", "cluster/a_b", "cluster/1a", "clutser/app", "instance/", "host/", "host/name", "host/name:0", "host/name:99999", "host/:5432", "host/a:b:c", "host/name:abc", "a/b/c",
    ];

    private static readonly string[] OfTunnel =
    [
        "", "--port 1", "a --port", "a b --port 15432", "a a", "a -- psql", "a --", "a --port abc", "a --port 70000", "a --via tcp",
        "a --bastion 10.0.0.1", "a --secret x", "a --user x", "a --database x", "a --region 1", "a --endpoint-url x", "a ␀", "a ␤", "a --jsn", "a --quiet=yes",
        "cluster/", "host/x", "cluster/b/c", "a --profile ␀", "a --verbose --verbos",
    ];

    private static readonly string[] OfExec =
    [
        "", "a", "a --", "-- psql", "a psql", "a b -- psql", "a --port x -- psql", "a --port -- psql", "a --via x -- psql", "a --bastion x -- psql",
        "a --region X -- psql", "a --endpoint-url x -- psql", "a --command psql", "a -c psql -- psql", "␀ -- psql", "␤ -- psql", "a --json=1 -- psql", "a --secret ␀ -- psql", "a --user ␀ -- psql", "a --config ␀ -- psql",
        "cluster/ -- psql", "host/x -- psql", "a -- ␀",
    ];

    private static readonly string[] OfTargets =
    [
        "x", "cluster/app", "--port 1", "--via ssm", "--bastion i-1", "--secret x", "-- ls", "--", "--region", "--region ␀",
        "--region A", "--region a", "--region eu_west_1", "--profile ␀", "--profile", "--endpoint-url", "--endpoint-url x", "--endpoint-url http://", "--json=true", "--jsno",
        "--config ␀", "--config", "--region a-b --region c-d", "--quiet=1", "-j", "␀", "␤",
    ];

    private static readonly string[] OfLab =
    [
        "x", "start", "--port", "--port abc", "--port -1", "--port 65536", "--port 1 --port 2", "--directory", "--directory ␀", "--directory ␤",
        "--print-env=1", "--print-env --empty", "--print-env --directory x", "--print-env --accept-unsigned-channel", "--print-env -- sh", "--", "-- ␀", "--print", "--region eu-west-1", "--profile x",
        "--empty=yes", "--accept-unsigned", "--json=1", "-p 1", "sh -c ls",
    ];

    private static readonly string[] OfUp =
    [
        "x", "cluster/app", "-- ls", "--pattern", "--pattern ␀", "--pattern ssm", "--pattern private,public", "--vpc 10.0.0.0/16", "--vpc vpc-xyz", "--vpc ␤", "--subnets a", "--subnets subnet-01234567,",
        "--subnets subnet-01234567", "--vpc vpc-01234567 --subnets subnet-01234567,subnet-01234567", "--cluster 1app", "--cluster a_b", "--endpoints", "--endpoints ssh", "--endpoints nat,ssm", "--endpoints ssm",
        "--endpoints nat --pattern public", "--endpoints nat --vpc vpc-01234567", "--endpoint-zones 3", "--min-acu 0.3", "--min-acu -1", "--min-acu 257", "--min-acu 4 --max-acu 2", "--max-acu 0", "--max-acu 1e3",
        "--engine-version newest", "--engine-version 9", "--idle-stop 1m", "--idle-stop soon", "--idle-stop 30s", "--tag x", "--tag =x", "--tag a=1 --tag a=2", "--tag aws:a=1", "--tag fumidai:stack=x", "--tag Name=x",
        "--name 1st", "--name a_b", "--name ␀", "--name a --name b", "--cidr 10.0.0.1/16", "--cidr 8.8.8.0/24", "--cidr 10.0.0.0/16 --vpc vpc-01234567", "--database 1a", "--deletion-protection yes", "--final-snapshot",
        "--bastion-type large", "--bastion-type t3.nano", "--export pulumi", "--export", "--dir x", "--force", "--export terraform --dry-run", "--my-ip --pattern both", "--my-ip 203.0.113.7", "--my-ip=1", "--from", "--from ␀",
        "--dry-run=1", "--patern both", "--region A", "--endpoint-url x", "--json=1", "--port 1", "--via ssm",
    ];

    private static readonly string[] OfDown =
    [
        "x", "fumidai", "--name", "--name ␀", "--name 1", "--name a_b", "--name a --name b", "--yes=1", "--force", "--pattern both", "-y", "--dry-run", "--region", "--region A", "--region ␀", "--endpoint-url x",
        "--profile ␀", "--json=1", "--quiet=1", "-- x", "--", "--nam x", "--all", "␀", "␤",
    ];

    private static readonly string[] OfStatus =
    [
        "x", "fumidai", "--name", "--name ␀", "--name 1", "--name a_b", "--name a --name b", "--yes", "--drift", "--no-drift=1", "--pattern both", "--watch", "--region", "--region A", "--region ␀", "--endpoint-url x",
        "--profile ␀", "--json=1", "--quiet=1", "-- x", "--", "--nam x", "␀", "␤",
    ];

    private static readonly string[] OfCost =
    [
        "--hours-a-day", "--hours-a-day abc", "--hours-a-day 25", "--hours-a-day -1", "--hours-a-day 8 --hours-a-day 9", "--idle-hours 30", "--idle-hours x", "--hours-a-day 20 --idle-hours 5",
        "--gb", "--gb many", "--gb 1,5", "--zones 0", "--zones 4", "--zones", "--hours 0", "--hours 1000", "--acu 0", "--acu 300", "--storage-gb -5", "--calls x", "--dpus 1e6",
        "--svg --csv", "--json --svg", "--prices --svg", "--svg=cost.svg", "--region Tokyo", "--regoin us-east-1", "app db", "--unknown", "-- psql", "--stack --svg", "--stack --prices", "--stack --gb 3", "--name x", "--stack --name 1", "--refresh=1",
    ];

    private static readonly string[] OfDiagram =
    [
        "a b", "--svg --html", "--svg --mermaid", "--terminal --svg", "--html --mermaid", "--svg=x", "--png", "--json", "--via", "--via tcp", "--via ␀", "--bastion", "--bastion x", "--region", "--region A", "--endpoint-url x",
        "--profile ␀", "--prove=1", "--quiet=1", "-- x", "--", "a --svgg", "␀", "␤",
    ];

    private static readonly string[] OfDoctor =
    [
        "a b", "a --port", "a --port abc", "a --port 65536", "a --via", "a --via tcp", "a --via ␀", "a --bastion x", "a --bastion i-", "a --region EU", "a --region ␀", "a --endpoint-url x", "a --endpoint-url ␀",
        "a -- psql", "a --fix=1", "a --no-proof=yes", "a --fixx", "a --json=1", "a --secret ␀", "a --user ␀", "a --config ␀", "cluster/", "clutser/app", "host/x", "a --drain 1s", "a --pattern both", "␀", "␤",
    ];

    private static readonly string[] OfPolicy =
    [
        "", "a", "--for", "--for ␀", "--for down", "--for up a", "--for bastion a", "--for connect a b", "--for up --via ssh", "--for up --bastion i-1", "--for up --secret x", "--for bastion --user x", "--for connect a --pattern both",
        "--for bastion --name x", "--for up --pattern x", "--for up --endpoints nat --pattern public", "--for up --min-acu 3 --max-acu 1", "--for connect a --via tcp", "--for connect a --bastion x", "--for connect --for up", "--for connect ␀",
        "--for connect a -- x", "--for connect a --user ␀", "--foor up", "--for up --dry-run", "--for connect a --tag x=y",
    ];

    private static readonly string[] OfPluginInstall =
    [
        "x", "--dir", "--dir ␀", "--dir ␤", "--dir a --dir b", "--force=1", "--forse", "-f", "-- x", "--",
        "--port 1", "--region eu-west-1", "--directory x", "--profile x", "--json=1", "--quiet=", "--verbose:2", "--link", "␀", "␤",
    ];

    private static readonly string[] OfSql =
    [
        "", "a b", "a -c", "a -c x -c y", "a -c x -f y", "a -f", "a -f ␀", "a --format", "a --format xml", "a --param", "a --param x", "a --param =1", "a --param 1x=2", "a --param a-b=2",
        "a --on-error", "a --on-error ignore", "a --single-transaction --on-error continue", "a --single-transaction=yes", "a --timeout", "a --timeout 0", "a --timeout soon", "a --via", "a --via eice",
        "a --port 5432", "a -- psql", "a --formt csv", "a -x", "a --region UPPER", "a --endpoint-url nowhere",
    ];

    private static readonly (string Verb, string[] Words)[] All =
    [
        ("connect", OfConnect), ("tunnel", OfTunnel), ("exec", OfExec), ("sql", OfSql), ("targets", OfTargets), ("up", OfUp), ("status", OfStatus), ("down", OfDown), ("doctor", OfDoctor), ("cost", OfCost), ("diagram", OfDiagram), ("policy", OfPolicy), ("lab", OfLab), ("plugin install", OfPluginInstall),
    ];

    public static TheoryData<string> Lines => [.. WithoutVerb.Concat(All.SelectMany(v => v.Words.Select(r => $"{v.Verb} {r}".TrimEnd())))];

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task A_malformed_command_line_gets_one_line_and_exit_code_2(string line)
    {
        string[] words = [.. line.Split(' ').Select(w => w.Replace("␀", "", StringComparison.Ordinal).Replace('␤', '\n'))];

        var ran = await InProcess.RunAsync(words);

        Assert.True(ran.ExitCode == ExitCodes.Usage, ran.ToString());
        Assert.Empty(ran.Output);
        var error = Assert.Single(ran.ErrorLines);
        Assert.StartsWith("fumidai: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", error, StringComparison.Ordinal);
        Assert.DoesNotContain(error, c => char.IsControl(c));
        Assert.InRange(error.Length, 20, 400);
    }

    [Fact]
    public void Each_verb_has_twenty_of_them()
    {
        Assert.Equal(Verbs.All.Select(v => v.Name).Order(StringComparer.Ordinal), All.Select(v => v.Verb).Order(StringComparer.Ordinal));
        Assert.All(All, verb => Assert.True(verb.Words.Distinct(StringComparer.Ordinal).Count() >= 20, verb.Verb));
    }

    [Theory]
    [InlineData("conect", "Did you mean connect?")]
    [InlineData("tunel a", "Did you mean tunnel?")]
    [InlineData("targts", "Did you mean targets?")]
    [InlineData("connect a --prot 1", "Did you mean --port?")]
    [InlineData("connect a --regoin x", "Did you mean --region?")]
    [InlineData("exec a psql", "fumidai exec TARGET [--options] -- COMMAND")]
    [InlineData("connect a --port abc", "“abc”")]
    [InlineData("plugin", "fumidai plugin install")]
    [InlineData("--region eu-west-1", "fumidai connect TARGET --region")]
    [InlineData("tunnel a b --port 1", "fumidai.yaml")]
    public async Task The_line_names_the_next_step(string line, string step)
    {
        var ran = await InProcess.RunAsync(line.Split(' '));

        Assert.Contains(step, ran.Error, StringComparison.Ordinal);
    }
}
