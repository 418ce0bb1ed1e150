using System.Security.Cryptography;
using Xunit;

namespace Fumidai.Journeys.Tests;

/// <summary>A dump of 200 MB through the tunnel, compared byte for byte with one that took no tunnel.</summary>
public sealed class DumpJourneys(RunningLab lab)
{
    private const string Fill = """
        create table if not exists bulk (id int primary key, body text not null);
        insert into bulk select i, repeat(md5(i::text), 66) from generate_series(1, 100000) i on conflict do nothing;
        """;

    [Theory]
    [InlineData("ssm")]
    [InlineData("ssh")]
    public async Task Pg_dump_of_200_MB_equals_a_direct_dump_byte_for_byte(string route)
    {
        var filled = await lab.FumidaiAsync("connect", "cluster/app", "--via", "ssh", "--", "-Xqc", Fill);
        Assert.True(filled.ExitCode == 0, filled.ToString());
        var (tunnel, port) = await lab.TunnelAsync(route);
        await using var _ = tunnel;
        var environment = await lab.PgEnvironmentAsync(port);

        var (tunnelled, size) = await HashAsync(environment);
        var (direct, directSize) = await HashAsync(lab.Direct(environment));

        Assert.True(size > 200_000_000, $"the dump has only {size} bytes");
        Assert.Equal((direct, directSize), (tunnelled, size));
    }

    private static async Task<(string Hash, long Size)> HashAsync(Dictionary<string, string> environment)
    {
        var start = new System.Diagnostics.ProcessStartInfo("pg_dump", ["--restrict-key=journey"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var dump = System.Diagnostics.Process.Start(start)!;
        var error = dump.StandardError.ReadToEndAsync();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[256 * 1024];
        long size = 0;
        int read;
        while ((read = await dump.StandardOutput.BaseStream.ReadAsync(buffer)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            size += read;
        }
        await dump.WaitForExitAsync();
        Assert.True(dump.ExitCode == 0, await error);
        return (Convert.ToHexString(hash.GetHashAndReset()), size);
    }
}
