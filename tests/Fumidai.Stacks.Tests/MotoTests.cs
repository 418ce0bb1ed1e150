using System.Diagnostics;
using System.Text.RegularExpressions;
using Amazon.EC2;
using Amazon.EC2.Model;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>A moto_server of its own on a free port.</summary>
public sealed class MotoServer : IAsyncLifetime
{
    private Process? _process;

    public string? Url { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (TestMachine.Find("moto_server") is not { } moto)
            return;
        var start = new ProcessStartInfo(moto) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[] { "-H", "127.0.0.1", "-p", "0" })
            start.ArgumentList.Add(argument);
        start.Environment["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true";
        _process = Process.Start(start)!;
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            if (Regex.Match(line, @"Running on (http://127\.0\.0\.1:\d+)") is { Success: true } match)
            {
                Url = match.Groups[1].Value;
                _ = _process.StandardError.ReadToEndAsync();
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }
        throw new InvalidOperationException("moto_server ended without saying where it listens");
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

/// <summary>
/// The same templates before an independent reader. What moto gets wrong (outputs of change sets, resource events, rollback, deletion and
/// association of route tables, DNS and IMDS settings, an instance's network interfaces, parameters that alone change) is not asked of it; what it makes in EC2 is.
/// </summary>
public sealed class MotoTests(MotoServer moto) : IClassFixture<MotoServer>, IDisposable
{
    private readonly AwsAccess? _access = moto.Url is null ? null : TestMachine.Open(moto.Url);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _access?.Dispose();

    private AwsAccess Access
    {
        get
        {
            Assert.SkipWhen(_access is null, "moto_server is not on PATH (pip install 'moto[server]')");
            return _access!;
        }
    }

    /// <summary>moto creates no DBCluster and then wants the instance's engine version, which AWS takes from the cluster.</summary>
    private static StackPlan ForMoto(StackPlan plan, string image) => plan.WithImage(image) is var fixedPlan
        ? fixedPlan with { Template = fixedPlan.Template.Replace("      DBInstanceClass: db.serverless", "      DBInstanceClass: db.serverless\n      EngineVersion: \"16.1\"", StringComparison.Ordinal) } : plan;

    private async Task<ProposedChanges> DeployAsync(StackPlan plan)
    {
        var time = new HastyTime();
        var deployment = new StackDeployment(Access, time);
        var image = await ReadParameter.GetAsync(Access, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64", Stop);
        var changes = await deployment.ProposeAsync(ForMoto(plan, image), Stop);
        await foreach (var _ in deployment.ExecuteAsync(changes, Stop))
        {
        }
        return changes;
    }

    [Theory]
    [InlineData(StackPattern.Private, "ssm,ssmmessages", 2)]
    [InlineData(StackPattern.Both, "ssm,ssmmessages,ec2messages,s3", 4)]
    [InlineData(StackPattern.Private, "nat", 0)]
    [InlineData(StackPattern.Private, "none", 0)]
    [InlineData(StackPattern.Public, "none", 0)]
    public async Task A_plan_is_built_as_it_says(StackPattern pattern, string endpoints, int endpointCount)
    {
        var name = "m-" + Guid.NewGuid().ToString("N")[..8];
        var plan = Sites.Plan(pattern, o => o with { Name = name, Endpoints = EndpointChoice.Parse(endpoints), Cidr = "10.90.0.0/16", Tags = new Dictionary<string, string> { ["team"] = "data" } });
        var changes = await DeployAsync(plan);
        Assert.True(changes.IsCreation);
        Assert.Equal(plan.Creates.Where(c => c.LogicalId is not "Cluster").Select(c => c.LogicalId).Order(), changes.Changes.Select(c => c.LogicalId).Where(id => id != "Cluster").Order());
        var vpc = Assert.Single(await ReadVpcs.ListAsync(Access, null, Stop), v => v.Tags.GetValueOrDefault("fumidai:stack") == name);
        Assert.Equal(["10.90.0.0/16"], vpc.Cidrs);
        Assert.Equal("data", vpc.Tags["team"]);
        var subnets = await ReadVpcs.SubnetsAsync(Access, vpc.Id, [], Stop);
        Assert.Equal(["10.90.0.0/20", "10.90.16.0/20", "10.90.32.0/20", "10.90.48.0/20"], subnets.Select(s => s.Cidr).Order());
        Assert.Equal(2, subnets.Select(s => s.Zone).Distinct().Count());
        Assert.Equal(endpointCount, (await ReadVpcs.EndpointsAsync(Access, vpc.Id, Stop)).Count);
        var bastions = await FindBastions.ByTagAsync(Access, "fumidai:stack", name, Stop);
        Assert.Equal(pattern switch { StackPattern.Both => ["private", "public"], StackPattern.Private => ["private"], _ => (string[])["public"] }, bastions.Select(b => b.Tags["fumidai:bastion"]).Order());
        Assert.All(bastions, b => Assert.Equal("running", b.State));
        Assert.Equal(
            [.. endpointCount > 0 ? ["443 from a group"] : Array.Empty<string>(), "5432 from a group", .. pattern == StackPattern.Private ? Array.Empty<string>() : ["22 from 203.0.113.7/32"]],
            (await RulesAsync(vpc.Id)).OrderBy(r => r.Length));
        var stack = await ReadStack.FindAsync(Access, changes.StackId, Stop);
        Assert.Equal(("CREATE_COMPLETE", name), (stack!.Status, stack.Tags["fumidai:stack"]));
    }

    [Fact]
    public async Task A_public_bastion_is_added_to_a_stack_that_exists_and_the_rest_stays()
    {
        var name = "m-" + Guid.NewGuid().ToString("N")[..8];
        await DeployAsync(Sites.Plan(change: o => o with { Name = name }));
        var before = Assert.Single(await FindBastions.ByTagAsync(Access, "fumidai:stack", name, Stop));
        Assert.True((await DeployAsync(Sites.Plan(change: o => o with { Name = name }))).IsEmpty);
        var changes = await DeployAsync(Sites.Plan(StackPattern.Both, o => o with { Name = name }));
        Assert.False(changes.IsCreation);
        Assert.Equal(["PublicBastion", "SshGroup"], changes.Changes.Where(c => c.Action == "Add").Select(c => c.LogicalId).Order());
        Assert.Empty(changes.LosesData);
        Assert.Contains(await FindBastions.ByTagAsync(Access, "fumidai:stack", name, Stop), b => b.Id == before.Id && b.State == "running");
    }

    [Fact]
    public async Task A_dry_run_leaves_no_stack()
    {
        var name = "m-" + Guid.NewGuid().ToString("N")[..8];
        var deployment = new StackDeployment(Access, new HastyTime());
        var changes = await deployment.ProposeAsync(Sites.Plan(change: o => o with { Name = name }), Stop);
        Assert.NotEmpty(changes.Changes);
        await deployment.WithdrawAsync(changes, Stop);
        Assert.True(StackStanding.Of(await ReadStack.FindAsync(Access, name, Stop)).Phase is StackPhase.Absent);
    }

    [Fact]
    public async Task A_VPC_that_exists_is_surveyed_and_built_in()
    {
        var name = "m-" + Guid.NewGuid().ToString("N")[..8];
        await DeployAsync(Sites.Plan(change: o => o with { Name = name, Cidr = "10.91.0.0/16" }));
        var vpc = (await ReadVpcs.ListAsync(Access, null, Stop)).Single(v => v.Tags.GetValueOrDefault("fumidai:stack") == name);
        await ConnectPublicSubnetsAsync(vpc.Id);
        var options = new StackOptions { Name = name + "-in", Pattern = StackPattern.Public, MyAddress = Sites.Home, Vpc = vpc.Id };
        var site = await SiteSurvey.AskAsync(Access, options, Stop);
        var subnets = (await ReadVpcs.SubnetsAsync(Access, vpc.Id, [], Stop)).ToDictionary(s => s.Id);
        Assert.Equal(WayOut.Internet, subnets[site.PublicSubnet!].WayOut);
        Assert.All(site.PrivateSubnets, id => Assert.Equal(WayOut.None, subnets[id].WayOut));
        Assert.Equal(2, site.PrivateSubnets.Select(id => subnets[id].Zone).Distinct().Count());
        var changes = await DeployAsync(StackPlan.Compose(options, site));
        Assert.DoesNotContain(changes.Changes, c => c.Type is "AWS::EC2::VPC" or "AWS::EC2::Subnet");
        var refused = await Assert.ThrowsAsync<StackFailure>(() => SiteSurvey.AskAsync(Access, options with { Pattern = StackPattern.Private }, Stop));
        Assert.Contains("has an endpoint for ssm already", refused.Message, StringComparison.Ordinal);
        var elsewhere = (await ReadVpcs.ListAsync(Access, null, Stop)).First(v => v.Id != vpc.Id);
        var stranger = (await ReadVpcs.SubnetsAsync(Access, elsewhere.Id, [], Stop))[0].Id;
        var others = await Assert.ThrowsAsync<StackFailure>(() => SiteSurvey.AskAsync(Access, options with { Subnets = [stranger] }, Stop));
        Assert.Contains($"not to {vpc.Id}", others.Message, StringComparison.Ordinal);
        var free = await SiteSurvey.AskAsync(Access, new StackOptions { Name = name + "-new" }, Stop);
        Assert.NotEqual("10.91.0.0/16", free.Cidr);
        Assert.Contains("overlaps", (await Assert.ThrowsAsync<StackFailure>(() => SiteSurvey.AskAsync(Access, new StackOptions { Name = name + "-new", Cidr = "10.91.16.0/20" }, Stop))).Message, StringComparison.Ordinal);
        Assert.Equal("10.91.0.0/16", (await SiteSurvey.AskAsync(Access, new StackOptions { Name = name }, Stop)).Cidr);
    }

    private AmazonEC2Client NewEc2() => new("AKIDTEST", "opens-nothing", new AmazonEC2Config { ServiceURL = moto.Url, AuthenticationRegion = "ap-northeast-1" });

    private async Task<List<string>> RulesAsync(string vpcId)
    {
        using var ec2 = NewEc2();
        var groups = await ec2.DescribeSecurityGroupsAsync(new DescribeSecurityGroupsRequest { Filters = [new("vpc-id", [vpcId])] }, Stop);
        return [.. groups.SecurityGroups.SelectMany(g => g.IpPermissions ?? []).Select(p => $"{p.FromPort} from {(p.UserIdGroupPairs is { Count: > 0 } ? "a group" : p.Ipv4Ranges.Single().CidrIp)}")];
    }

    /// <summary>moto leaves out a stack's route table associations and its VPC's DNS hostnames.</summary>
    private async Task ConnectPublicSubnetsAsync(string vpcId)
    {
        using var ec2 = NewEc2();
        var tables = await ec2.DescribeRouteTablesAsync(new DescribeRouteTablesRequest { Filters = [new("vpc-id", [vpcId])] }, Stop);
        var table = tables.RouteTables.Single(t => t.Routes.Exists(r => r.GatewayId.StartsWith("igw-", StringComparison.Ordinal)));
        foreach (var subnet in (await ReadVpcs.SubnetsAsync(Access, vpcId, [], Stop)).Where(s => s.Cidr is "10.91.0.0/20" or "10.91.16.0/20"))
            await ec2.AssociateRouteTableAsync(new AssociateRouteTableRequest { RouteTableId = table.RouteTableId, SubnetId = subnet.Id }, Stop);
        Assert.False(await ReadVpcs.HasDnsAsync(Access, vpcId, Stop));
        await ec2.ModifyVpcAttributeAsync(new ModifyVpcAttributeRequest { VpcId = vpcId, EnableDnsHostnames = true }, Stop);
        Assert.True(await ReadVpcs.HasDnsAsync(Access, vpcId, Stop));
    }

    [Fact]
    public async Task A_VPC_or_cluster_that_is_not_there_is_not_found()
    {
        Assert.Equal(StackFailureReason.NotFound, (await Assert.ThrowsAsync<StackFailure>(() => SiteSurvey.AskAsync(Access, new StackOptions { Vpc = "vpc-00000000000000000" }, Stop))).Reason);
        Assert.Equal(StackFailureReason.NotFound, (await Assert.ThrowsAsync<StackFailure>(() => SiteSurvey.AskAsync(Access, new StackOptions { Cluster = "nowhere" }, Stop))).Reason);
    }
}
