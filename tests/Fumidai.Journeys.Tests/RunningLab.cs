using System.Globalization;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>One lab in the foreground of a child process, as a user would start it; all journeys share one, some start their own.</summary>
public sealed class RunningLab : IAsyncLifetime
{
    private Command? _lab;
    private string _home = "";
    private string _direct = "";

    /// <summary>The environment a user's shell would have after <c>eval "$(fumidai lab --print-env)"</c>, with a HOME of its own.</summary>
    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public async ValueTask InitializeAsync()
    {
        _home = Directory.CreateTempSubdirectory("fumidai-journeys-").FullName;
        // The lab's servers may run as another user and must get through to its folder.
        File.SetUnixFileMode(_home, (UnixFileMode)Convert.ToInt32("711", 8));
        Environment["HOME"] = _home;
        Environment["TMPDIR"] = Directory.CreateDirectory(Path.Combine(_home, "tmp"), (UnixFileMode)Convert.ToInt32("711", 8)).FullName;
        Environment["XDG_RUNTIME_DIR"] = _home;
        Environment["XDG_CACHE_HOME"] = Path.Combine(_home, "cache");
        Environment["XDG_CONFIG_HOME"] = Path.Combine(_home, "config");
        Environment["NO_COLOR"] = "1";
        Environment["PAGER"] = "cat";
        // Without NativeAOT the runtime would leave its diagnostic sockets in the folder we look at.
        Environment["DOTNET_EnableDiagnostics"] = "0";
        Environment["AWS_CONFIG_FILE"] = Path.Combine(_home, "no-config");
        Environment["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(_home, "no-credentials");
        _lab = Command.Start(Environment, Command.Fumidai, IsEmpty ? ["lab", "--empty"] : ["lab"]);
        // Where PostgreSQL really listens: the lab says so, for comparisons that take no tunnel.
        if (!IsEmpty)
            _direct = (await _lab.ErrorLineAsync("PostgreSQL of cluster app on ")).Split(' ')[^1];
        await _lab.ErrorLineAsync("Ready.");
        var printed = await Command.RunAsync(Environment, Command.Fumidai, "lab", "--print-env");
        Assert.Equal(0, printed.ExitCode);
        foreach (var line in printed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.StartsWith("export ", line, StringComparison.Ordinal);
            var at = line.IndexOf('=', StringComparison.Ordinal);
            Environment[line["export ".Length..at]] = line[(at + 1)..].Trim('\'', '"');
        }
    }

    /// <summary>Start from nothing instead of the mission's architecture.</summary>
    internal bool IsEmpty { get; init; }

    internal Command Process => _lab!;

    /// <summary>What stands in the temporary folder of the lab and of the commands run against it.</summary>
    internal string[] Files() => [.. Directory.EnumerateFileSystemEntries(Environment["TMPDIR"], "*").Order(StringComparer.Ordinal)];

    internal Task<Finished> FumidaiAsync(params string[] arguments) => Command.RunAsync(Environment, Command.Fumidai, arguments);

    internal Command Fumidai(params string[] arguments) => Command.Start(Environment, Command.Fumidai, arguments);

    /// <summary>The real aws CLI against the lab; fails when the call fails.</summary>
    internal async Task<string> AwsAsync(params string[] arguments)
    {
        Assert.SkipUnless(Machine.Finds("aws"), "the aws CLI is not on PATH");
        var finished = await Command.RunAsync(Environment, "aws", arguments);
        Assert.True(finished.ExitCode == 0, $"aws {string.Join(' ', arguments)}: {finished}");
        return finished.Output.Trim();
    }

    /// <summary>Asks until the answer is the wanted one, as a person would; each question takes the aws CLI the better part of a second.</summary>
    internal async Task UntilAsync(string wanted, params string[] question)
    {
        var answer = "";
        for (var tries = 0; tries < 40; tries++)
        {
            answer = await AwsAsync(question);
            if (answer == wanted)
                return;
        }
        Assert.Fail($"aws {string.Join(' ', question)} still says {answer}, not {wanted}");
    }

    /// <summary>Opens <c>fumidai tunnel cluster/app --via ROUTE</c> and returns it with its local port once it is ready.</summary>
    internal async Task<(Command Tunnel, int Port)> TunnelAsync(string route, params string[] more)
    {
        var tunnel = Fumidai(["tunnel", "cluster/app", "--via", route, .. more]);
        var ready = await tunnel.OutputLineAsync("Listening on ");
        var port = int.Parse(ready.Split(' ')[2].Split(':')[^1], CultureInfo.InvariantCulture);
        return (tunnel, port);
    }

    /// <summary>Environment with which libpq programs sign in as the master user through a local port.</summary>
    internal async Task<Dictionary<string, string>> PgEnvironmentAsync(int port)
    {
        var arn = await AwsAsync("rds", "describe-db-clusters", "--db-cluster-identifier", "app", "--query", "DBClusters[0].[MasterUserSecret.SecretArn,Endpoint,DatabaseName]", "--output", "text");
        var parts = arn.Split('\t');
        var secret = await AwsAsync("secretsmanager", "get-secret-value", "--secret-id", parts[0], "--query", "SecretString", "--output", "text");
        using var json = System.Text.Json.JsonDocument.Parse(secret);
        return new Dictionary<string, string>(Environment, StringComparer.Ordinal)
        {
            ["PGHOST"] = parts[1],
            ["PGHOSTADDR"] = "127.0.0.1",
            ["PGPORT"] = port.ToString(CultureInfo.InvariantCulture),
            ["PGUSER"] = json.RootElement.GetProperty("username").GetString()!,
            ["PGPASSWORD"] = json.RootElement.GetProperty("password").GetString()!,
            ["PGDATABASE"] = parts[2],
            ["PGSSLMODE"] = "verify-full",
            ["PGSSLROOTCERT"] = Environment["AWS_CA_BUNDLE"],
        };
    }

    /// <summary>The same sign-in without a tunnel.</summary>
    internal Dictionary<string, string> Direct(Dictionary<string, string> throughTunnel) => new(throughTunnel, StringComparer.Ordinal)
    {
        ["PGHOSTADDR"] = _direct.Split(':')[0],
        ["PGPORT"] = _direct.Split(':')[1],
    };

    public async ValueTask DisposeAsync()
    {
        if (_lab is not null)
        {
            if (Machine.Lives(_lab.Id))
                _lab.Signal("TERM");
            await _lab.FinishAsync();
            await _lab.DisposeAsync();
        }
        Directory.Delete(_home, recursive: true);
    }
}
