using Fumidai.Lab;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>
/// Wrong usages of the verbs about stacks, against an account of the lab that has the mission's architecture and a stack of ours: one clear line, the
/// documented exit code, and everything as it was.
/// </summary>
public sealed class WrongUsageTests(WrongUsageTests.Account account) : IClassFixture<WrongUsageTests.Account>
{
    /// <summary>One account for all rows: no row changes anything, which is what they are about.</summary>
    public sealed class Account : IAsyncLifetime
    {
        internal StackLab Lab { get; private set; } = null!;
        internal string Before { get; private set; } = "";
        internal SemaphoreSlim Turn { get; } = new(1);

        public async ValueTask InitializeAsync()
        {
            Lab = await StackLab.StartAsync(isEmpty: false);
            var up = await Lab.HereAsync("up", "--name", "here", "--pattern", "public", "--yes", "--config", Path.Combine(Lab.Folder, "here.yaml"));
            Assert.True(up.ExitCode == 0, up.ToString());
            // A cluster whose password somebody keeps elsewhere, a stack of somebody else's, one that refuses to go.
            Lab.Change(m =>
            {
                var app = m.DbClusters["app"];
                m.DbClusters["bare"] = new DbCluster
                {
                    Id = "bare",
                    Account = app.Account,
                    Region = app.Region,
                    Engine = app.Engine,
                    EngineVersion = app.EngineVersion,
                    MasterUsername = app.MasterUsername,
                    Status = "available",
                    Address = app.Address,
                    Endpoint = "bare.example",
                    ReaderEndpoint = "bare-ro.example",
                    Port = 5432,
                    SubnetGroup = app.SubnetGroup,
                    ResourceId = "cluster-BARE",
                    CreatedAt = app.CreatedAt,
                };
                m.DbClusters["bare"].SecurityGroupIds.AddRange(app.SecurityGroupIds);
                var here = m.Stacks.Values.Single();
                var foreign = new Stack
                {
                    Id = here.Id.Replace("stack/here/", "stack/theirs/", StringComparison.Ordinal),
                    Name = "theirs",
                    Account = here.Account,
                    Region = here.Region,
                    Caller = here.Caller,
                    CreatedAt = here.CreatedAt,
                    Status = "CREATE_COMPLETE",
                };
                m.Stacks[foreign.Id] = foreign;
            });
            Before = Lab.Inventory();
        }

        public async ValueTask DisposeAsync()
        {
            Turn.Dispose();
            await Lab.DisposeAsync();
        }
    }

    [Theory]
    // Said wrongly.
    [InlineData(2, "must be private, public, both or eice", "up --pattern sideways --yes")]
    [InlineData(2, "Did you mean --pattern", "up --patern both --yes")]
    [InlineData(2, "unexpected “now”", "up now --yes")]
    [InlineData(2, "vpc-", "up --vpc default --yes")]
    [InlineData(2, "subnets' ids", "up --vpc {vpc} --subnets one,two --yes")]
    [InlineData(2, "belong to an existing VPC", "up --subnets {subnet} --yes")]
    [InlineData(2, "names a subnet twice", "up --vpc {vpc} --subnets {subnet},{subnet} --yes")]
    [InlineData(2, "cannot be a VPC's range", "up --cidr 10.0.0.0/8 --yes")]
    [InlineData(2, "cannot be a VPC's range", "up --cidr 10.0.0.1/16 --yes")]
    [InlineData(2, "exists already", "up --vpc {vpc} --cidr 10.99.0.0/16 --yes")]
    [InlineData(2, "is not enough for Session Manager", "up --endpoints ssm --yes")]
    [InlineData(2, "must be nat, none, or some of", "up --endpoints telepathy --yes")]
    [InlineData(2, "in a new VPC only", "up --vpc {vpc} --endpoints nat --yes")]
    [InlineData(2, "serves a private bastion", "up --pattern public --endpoints nat --yes")]
    [InlineData(2, "steps of 0.5", "up --min-acu 0.3 --yes")]
    [InlineData(2, "is more than --max-acu", "up --min-acu 8 --max-acu 2 --yes")]
    [InlineData(2, "must be a version", "up --engine-version newest --yes")]
    [InlineData(2, "idle-stop", "up --idle-stop 1m --yes")]
    [InlineData(2, "arm64", "up --bastion-type t3.nano --yes")]
    [InlineData(2, "is not yours to set", "up --tag fumidai:stack=mine --yes")]
    [InlineData(2, "KEY=VALUE", "up --tag team --yes")]
    [InlineData(2, "must be a letter", "up --name 9lives --yes")]
    [InlineData(2, "do not go together", "up --export terraform --dry-run")]
    [InlineData(2, "changes one rule and nothing else", "up --my-ip --pattern both")]
    [InlineData(2, "nobody can be asked here", "up")]
    [InlineData(2, "nobody can be asked here", "down --name here")]
    [InlineData(2, "needs --for", "policy")]
    [InlineData(2, "takes no TARGET", "policy --for up cluster/app")]
    [InlineData(3, "cannot read", "up --yes --from {folder}/absent.yaml")]
    [InlineData(3, "did you mean max_acu", "up --yes --from {folder}/wrong.yaml")]
    // Said well, of an account that is not so.
    [InlineData(2, "belongs to {vpc2}, not to {vpc}", "up --vpc {vpc} --subnets {subnet2},{subnet} --cluster app --endpoints none --yes")]
    [InlineData(2, "overlaps", "up --cidr 10.86.0.0/16 --yes")]
    [InlineData(2, "no master secret managed by RDS", "up --cluster bare --endpoints none --yes")]
    [InlineData(2, "is in {vpc}, not in {vpc2}", "up --cluster app --vpc {vpc2} --endpoints none --yes")]
    [InlineData(2, "has an endpoint for ssm already", "up --cluster app --yes")]
    [InlineData(2, "is not on offer", "up --engine-version 99 --yes")]
    [InlineData(2, "fumidai did not make it", "up --name theirs --yes")]
    [InlineData(2, "fumidai did not make it", "down --name theirs --yes")]
    [InlineData(5, "there is no cluster nowhere", "up --cluster nowhere --yes")]
    [InlineData(5, "there is no VPC vpc-0123456789abcdef0", "up --vpc vpc-0123456789abcdef0 --yes")]
    [InlineData(5, "subnet-0123456789abcdef0", "up --vpc {vpc} --subnets subnet-0123456789abcdef0 --yes")]
    [InlineData(5, "there is no stack nowhere", "status --name nowhere")]
    [InlineData(5, "there is no stack nowhere", "up --my-ip --name nowhere")]
    [InlineData(5, "nowhere", "policy --for connect cluster/nowhere")]
    public async Task One_line_the_documented_exit_code_and_everything_as_it_was(int exitCode, string says, string typed)
    {
        await account.Turn.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            var lab = account.Lab;
            await File.WriteAllTextAsync(Path.Combine(lab.Folder, "wrong.yaml"), "max_acus: 8\n", TestContext.Current.CancellationToken);
            string Real(string text) => lab.Read(m =>
            {
                var vpc = m.Vpcs.Values.Single(v => v.Region == LabRegions.Main && v.Tags.GetValueOrDefault("Name") == "mission");
                var ours = m.Vpcs.Values.Single(v => v.Region == LabRegions.Main && v != vpc);
                string Subnet(Vpc of) => m.Subnets.Values.First(s => s.VpcId == of.Id).Id;
                return text.Replace("{vpc}", vpc.Id, StringComparison.Ordinal).Replace("{vpc2}", ours.Id, StringComparison.Ordinal)
                    .Replace("{subnet}", Subnet(vpc), StringComparison.Ordinal).Replace("{subnet2}", Subnet(ours), StringComparison.Ordinal)
                    .Replace("{folder}", lab.Folder, StringComparison.Ordinal);
            });

            var ran = await lab.HereAsync(Real(typed).Split(' '));

            Assert.True(ran.ExitCode == exitCode, ran.ToString());
            Assert.True(ran.ErrorLines[^1].Contains(Real(says), StringComparison.Ordinal), ran.ToString());
            Assert.Single(ran.ErrorLines, line => line.StartsWith("fumidai: ", StringComparison.Ordinal));
            Assert.DoesNotContain("   at ", ran.Error, StringComparison.Ordinal);
            Assert.Equal(account.Before, lab.Inventory());
            Assert.False(File.Exists(Path.Combine(lab.Folder, "fumidai.yaml")));
        }
        finally
        {
            account.Turn.Release();
        }
    }

    [Fact]
    public async Task A_quota_that_is_refused_is_told_and_what_was_built_until_then_is_gone()
    {
        await using var lab = await StackLab.StartAsync();
        lab.Change(m => m.VpcQuota = 0);
        var before = lab.Inventory();

        var ran = await lab.HereAsync("up", "--yes");

        Assert.True(ran.ExitCode == 1, ran.ToString());
        Assert.Contains("The maximum number of VPCs has been reached", ran.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Contains("begins anew", ran.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal("fumidai ROLLBACK_COMPLETE", lab.Inventory());
        // The quota raised, the next one clears the leftover away and builds.
        lab.Change(m => m.VpcQuota = 5);
        var next = await lab.HereAsync("up", "--yes");
        Assert.True(next.ExitCode == 0, next.ToString());
        var down = await lab.HereAsync("down", "--yes");
        Assert.True(down.ExitCode == 0, down.ToString());
        Assert.Equal(before, lab.Inventory());
    }

    [Theory]
    [InlineData("ec2:CreateVpcEndpoint")]
    [InlineData("rds:CreateDBInstance")]
    [InlineData("iam:CreateRole")]
    [InlineData("ec2:RunInstances")]
    public async Task One_call_that_is_not_allowed_undoes_the_creation_and_is_named(string action)
    {
        await using var lab = await StackLab.StartAsync();
        lab.Deny(action);

        var ran = await lab.HereAsync("up", "--yes");

        Assert.True(ran.ExitCode == 4, ran.ToString());
        Assert.Contains(action, ran.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal("fumidai ROLLBACK_COMPLETE", lab.Inventory());
    }

    [Fact]
    public async Task A_change_that_is_not_allowed_leaves_the_stack_as_it_was_before()
    {
        await using var lab = await StackLab.StartAsync();
        Assert.Equal(0, (await lab.HereAsync("up", "--yes")).ExitCode);
        var before = lab.Inventory();
        lab.Deny("rds:ModifyDBCluster");

        var ran = await lab.HereAsync("up", "--max-acu", "8", "--yes");

        Assert.True(ran.ExitCode is 4, ran.ToString());
        Assert.Contains("It is as it was before", ran.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal(before.Replace("fumidai CREATE_COMPLETE", "fumidai UPDATE_ROLLBACK_COMPLETE", StringComparison.Ordinal), lab.Inventory());
    }

    [Theory]
    [InlineData("up", "cloudformation:ExecuteChangeSet")]
    [InlineData("down", "cloudformation:DeleteStack")]
    public async Task Credentials_that_expire_in_the_middle_end_it_with_4_and_the_next_run_finishes(string verb, string call)
    {
        await using var lab = await StackLab.StartAsync();
        if (verb == "down")
            Assert.Equal(0, (await lab.HereAsync("up", "--yes")).ExitCode);
        var profile = lab.Profile(out var expire);
        lab.OnCall = line =>
        {
            if (line.Contains(call.Split(':')[1], StringComparison.Ordinal))
                expire();
        };

        var ran = await lab.HereAsync(verb, "--yes", "--profile", profile);

        Assert.True(ran.ExitCode == 4, ran.ToString());
        Assert.Contains("ExpiredToken", ran.ErrorLines[^1], StringComparison.Ordinal);
        var next = await lab.HereAsync(verb, "--yes");
        Assert.True(next.ExitCode == 0, next.ToString());
        Assert.Contains(verb == "up" ? "fumidai CREATE_COMPLETE" : "", lab.Inventory(), StringComparison.Ordinal);
        if (verb == "down")
            Assert.DoesNotContain("fumidai", lab.Inventory(), StringComparison.Ordinal);
    }
}
