using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>The public bastion of the seed, met with the system's ssh: the model decides for real processes too.</summary>
public sealed class PublicBastionTests
{
    [Fact]
    public async Task Ssh_obeys_the_rules_of_the_bastion_and_of_the_database()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        Assert.SkipWhen(await SshdRoom.FindAsync(ServerFixture.Limit) is SshdRoom.None, "no sshd");
        var seed = SeedParts.Of(lab);
        var (key, line) = await KeyAsync(lab);
        Assert.Equal((200, true), await PushAsync(lab, seed, line));
        var login = Login(lab, seed, key);

        // Tracked connections live on: one login stays open while rules go.
        using var old = Start([.. login, "cat"]);
        await old.StandardInput.WriteLineAsync("before");
        Assert.Equal("before", await old.StandardOutput.ReadLineAsync(ServerFixture.Limit));
        Assert.Equal("S", await AskAsync(login, seed));

        // A dial that is let through ends at once with our end of input, a refused one with 255; one whose packets are dropped does neither.
        string[] dial = ["3", "ssh", "-W", $"{seed.Cluster.Endpoint}:5432", .. login];
        Assert.Equal(0, (await ForeignProgram.RunAsync("timeout", dial)).Code);
        var database = Remove(lab, seed.Cluster.SecurityGroupIds);
        Assert.Equal(124, (await ForeignProgram.RunAsync("timeout", dial)).Code);
        await old.StandardInput.WriteLineAsync("meanwhile");
        Assert.Equal("meanwhile", await old.StandardOutput.ReadLineAsync(ServerFixture.Limit));
        Restore(lab, database);
        Assert.Equal("S", await AskAsync(login, seed));

        await lab.Context.Machines.StopDatabaseAsync(seed.Cluster.Id, ServerFixture.Limit);
        var (code, _, error) = await ForeignProgram.RunAsync("timeout", dial);
        Assert.Equal(255, code);
        Assert.Contains("Connection refused", error, StringComparison.Ordinal);

        Remove(lab, seed.PublicBastion.SecurityGroupIds);
        (code, _, error) = await ForeignProgram.RunAsync("ssh", ["-o", "ConnectTimeout=2", .. login, "true"]);
        Assert.Equal(255, code);
        Assert.Contains("timed out", error, StringComparison.Ordinal);
        await old.StandardInput.WriteLineAsync("still");
        Assert.Equal("still", await old.StandardOutput.ReadLineAsync(ServerFixture.Limit));

        await lab.Context.Machines.HaltInstanceAsync(seed.PublicBastion.Id, ServerFixture.Limit);
        await old.WaitForExitAsync(ServerFixture.Limit);
    }

    [Fact]
    public async Task A_pushed_key_dies_with_a_minute_of_the_labs_clock_and_wrong_calls_are_refused_as_by_aws()
    {
        await using var lab = await RelayFixture.StartAsync(empty: false);
        Assert.SkipWhen(await SshdRoom.FindAsync(ServerFixture.Limit) is SshdRoom.None, "no sshd");
        var seed = SeedParts.Of(lab);
        var (key, line) = await KeyAsync(lab);
        Assert.Equal((200, true), await PushAsync(lab, seed, line));
        Assert.Equal(0, (await ForeignProgram.RunAsync("ssh", [.. Login(lab, seed, key), "true"])).Code);
        lab.Context.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(255, (await ForeignProgram.RunAsync("ssh", [.. Login(lab, seed, key), "true"])).Code);

        Assert.Equal("InvalidArgsException", await RefusalAsync(lab, seed.PublicBastion.Id, "ssh-ed25519 AAAA"));
        Assert.Equal("InvalidArgsException", await RefusalAsync(lab, seed.PublicBastion.Id, line + "\n" + line));
        Assert.Equal("EC2InstanceNotFoundException", await RefusalAsync(lab, "i-00000000000000000", line));
        lab.Context.Model.Change(m => m.Instances[seed.PublicBastion.Id].State = "stopped");
        Assert.Equal("EC2InstanceStateInvalidException", await RefusalAsync(lab, seed.PublicBastion.Id, line));
    }

    private static async Task<(string File, string Line)> KeyAsync(RelayFixture lab)
    {
        var file = Path.Combine(lab.Context.Directory, "id");
        Assert.Equal(0, (await ForeignProgram.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file])).Code);
        return (file, (await File.ReadAllTextAsync(file + ".pub", ServerFixture.Limit)).Trim());
    }

    private static string[] Login(RelayFixture lab, SeedParts seed, string key)
    {
        var (address, port, user) = lab.Context.Model.Read(m => m.Instances[seed.PublicBastion.Id] is var bastion ? (bastion.PublicAddress, bastion.Tags[Bastion.PortTag], bastion.Tags[Bastion.UserTag]) : default);
        return ["-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", $"UserKnownHostsFile={key}.known", "-p", port, $"{user}@{address}"];
    }

    private static async Task<string> AskAsync(string[] login, SeedParts seed)
    {
        using var ssh = Start(["-W", $"{seed.Cluster.Endpoint}:{seed.Cluster.Port.ToString(CultureInfo.InvariantCulture)}", .. login]);
        await ssh.StandardInput.BaseStream.WriteAsync(PortSessionTests.SslRequest, ServerFixture.Limit);
        await ssh.StandardInput.FlushAsync(ServerFixture.Limit);
        var answer = ssh.StandardOutput.Read();
        ssh.Kill();
        return ((char)answer).ToString();
    }

    private static Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("ssh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static List<(string Group, SecurityGroupRule Rule)> Remove(RelayFixture lab, IEnumerable<string> groups) => lab.Context.Model.Change(m =>
    {
        var removed = groups.SelectMany(id => m.SecurityGroups[id].Rules.Where(rule => rule.Direction == RuleDirection.Ingress).Select(rule => (id, rule))).ToList();
        foreach (var (id, rule) in removed)
            m.SecurityGroups[id].Rules.Remove(rule);
        return removed;
    });

    private static void Restore(RelayFixture lab, List<(string Group, SecurityGroupRule Rule)> rules) => lab.Context.Model.Change(m =>
    {
        rules.ForEach(one => m.SecurityGroups[one.Group].Rules.Add(one.Rule));
        return 0;
    });

    private static async Task<(int, bool)> PushAsync(RelayFixture lab, SeedParts seed, string key)
    {
        var (status, answer) = await SendAsync(lab, seed.PublicBastion.Id, key);
        return (status, answer.TryGetProperty("Success", out var success) && success.GetBoolean());
    }

    private static async Task<string?> RefusalAsync(RelayFixture lab, string instanceId, string key)
    {
        var (status, answer) = await SendAsync(lab, instanceId, key);
        Assert.Equal(400, status);
        return answer.GetProperty("__type").GetString();
    }

    private static async Task<(int Status, JsonElement Answer)> SendAsync(RelayFixture lab, string instanceId, string key)
    {
        var body = JsonText.Bytes(json =>
        {
            json.WriteString("InstanceId", instanceId);
            json.WriteString("InstanceOSUser", "ec2-user");
            json.WriteString("SSHPublicKey", key);
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, lab.Context.ApiAddress) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", "AWSEC2InstanceConnectService.SendSSHPublicKey");
        SigV4.Sign(request, body, lab.Keys, "ec2-instance-connect", LabRegions.Main, lab.Context.Time.GetUtcNow());
        using var http = new HttpClient();
        using var answer = await http.SendAsync(request, ServerFixture.Limit);
        using var parsed = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(ServerFixture.Limit));
        return ((int)answer.StatusCode, parsed.RootElement.Clone());
    }
}
