using System.Net;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>A keeper, a CA and a folder of one test.</summary>
internal sealed class ServerFixture : IAsyncDisposable
{
    private static int s_next;

    public ServerFixture()
    {
        Folder = Directory.CreateTempSubdirectory("fumidai-lab-test-").FullName;
        Servers = ServerFolder.ForServers(Folder);
        Keeper = Keeper.Start();
        Keeper.Remove(Folder);
        Authority = LabAuthority.Create(Folder);
    }

    public string Folder { get; }
    public string Servers { get; }
    public Keeper Keeper { get; }
    public LabAuthority Authority { get; }

    /// <summary>A loopback address of this test alone.</summary>
    public static IPAddress FreshAddress()
    {
        var n = Interlocked.Increment(ref s_next);
        return new IPAddress([127, 250, (byte)(Environment.ProcessId % 250 + 1), (byte)(n % 250 + 1)]);
    }

    public static CancellationToken Limit => CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token).Token;

    public async Task<PostgresServer> PostgresAsync(IPEndPoint at, string password = "Open:Sesame\\1", params string[] names)
    {
        using var certificate = Authority.IssueServer(names.Length > 0 ? names : ["app.cluster-lab.ap-northeast-1.rds.amazonaws.com", "app.cluster-ro-lab.ap-northeast-1.rds.amazonaws.com"], []);
        return await PostgresServer.CreateAsync(Path.Combine(Servers, "pg"), at, certificate, "postgres_admin", password, "appdb", Keeper, Limit);
    }

    /// <summary>psql against a server, as a user would run it through a tunnel.</summary>
    public async Task<(int Code, string Output, string Error)> PsqlAsync(IPEndPoint at, string sql, string password, string host = "app.cluster-lab.ap-northeast-1.rds.amazonaws.com", string mode = "verify-full") =>
        await ForeignProgram.RunAsync("psql", ["-X", "-At", "-w", "-c", sql], new()
        {
            ["PGHOST"] = host,
            ["PGHOSTADDR"] = at.Address.ToString(),
            ["PGPORT"] = at.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["PGUSER"] = "postgres_admin",
            ["PGDATABASE"] = "appdb",
            ["PGPASSWORD"] = password,
            ["PGSSLMODE"] = mode,
            ["PGSSLROOTCERT"] = Authority.CertificateFile,
            ["PGCONNECT_TIMEOUT"] = "10",
        });

    public async ValueTask DisposeAsync()
    {
        await Keeper.DisposeAsync();
        Authority.Dispose();
    }
}

/// <summary>Foreign programs run by tests.</summary>
internal static class ForeignProgram
{
    public static async Task<(int Code, string Output, string Error)> RunAsync(string program, IReadOnlyList<string> arguments, Dictionary<string, string>? environment = null)
    {
        var start = new System.Diagnostics.ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        using var process = System.Diagnostics.Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(ServerFixture.Limit);
        var error = process.StandardError.ReadToEndAsync(ServerFixture.Limit);
        try
        {
            await process.WaitForExitAsync(ServerFixture.Limit);
        }
        catch
        {
            process.Kill(true);
            throw;
        }
        return (process.ExitCode, await output, await error);
    }
}
