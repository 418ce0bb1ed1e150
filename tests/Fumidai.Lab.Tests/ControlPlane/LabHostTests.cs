using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class LabHostTests
{
    [Fact]
    public async Task A_lab_keeps_its_directory_to_itself_and_leaves_nothing()
    {
        string directory;
        await using (var lab = await LabHost.StartAsync(new LabOptions(), [], TestContext.Current.CancellationToken))
        {
            directory = lab.Context.Directory;
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory));
            Assert.True(File.Exists(lab.Environment.Single(e => e.Key == "AWS_CA_BUNDLE").Value));
        }
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task A_named_directory_is_closed_to_others_and_stays()
    {
        var named = Directory.CreateTempSubdirectory("fumidai-test-").FullName;
        try
        {
            var inside = Path.Combine(named, "lab");
            await using (await LabHost.StartAsync(new LabOptions { Directory = inside }, [], TestContext.Current.CancellationToken))
            {
                if (!OperatingSystem.IsWindows())
                    Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(inside));
            }
            Assert.True(File.Exists(Path.Combine(inside, "ca.pem")));
        }
        finally
        {
            Directory.Delete(named, recursive: true);
        }
    }

    [Fact]
    public async Task A_taken_port_is_an_error_that_names_it()
    {
        await using var first = await LabHost.StartAsync(new LabOptions(), [], TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<LabException>(() => LabHost.StartAsync(new LabOptions { Port = first.Port }, [], TestContext.Current.CancellationToken));
        Assert.Contains($"Port {first.Port} on 127.0.0.1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_lab_has_users_and_nothing_else()
    {
        await using var lab = await LabHost.StartAsync(new LabOptions { Empty = true }, [], TestContext.Current.CancellationToken);
        Assert.Equal(0, lab.Context.Model.Read(m => m.Vpcs.Count + m.Instances.Count + m.DbClusters.Count + m.Secrets.Count));
        Assert.Contains(lab.Environment, e => e.Key == "AWS_ACCESS_KEY_ID");
    }

    [Fact]
    public async Task What_it_serves_is_described_without_secrets()
    {
        await using var lab = await LabHost.StartAsync(new LabOptions(), [], TestContext.Current.CancellationToken);
        var text = string.Join('\n', lab.Describe());
        Assert.Contains("cluster app, aurora-postgresql", text, StringComparison.Ordinal);
        Assert.Contains("private-bastion", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-key", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(lab.Environment.Single(e => e.Key == "AWS_SECRET_ACCESS_KEY").Value, text, StringComparison.Ordinal);
    }
}
