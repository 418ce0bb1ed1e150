using System.Text.Json;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>Policies are narrow, valid JSON, and grow and shrink with what they are for.</summary>
public sealed class IamPoliciesTests
{
    private const string Secret = "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:rds!cluster-0a-AbCdEf";

    private static readonly AccountScope Here = new("ap-northeast-1", "111122223333");

    private static Dictionary<string, JsonElement> Statements(string policy)
    {
        var root = JsonDocument.Parse(policy).RootElement;
        Assert.Equal("2012-10-17", root.GetProperty("Version").GetString());
        var statements = root.GetProperty("Statement").EnumerateArray().ToDictionary(s => s.GetProperty("Sid").GetString()!);
        Assert.All(statements.Values, s => Assert.Equal("Allow", s.GetProperty("Effect").GetString()));
        Assert.All(statements.Keys, sid => Assert.True(sid.All(char.IsAsciiLetterOrDigit)));
        return statements;
    }

    private static string[] Texts(JsonElement element, string name) => element.GetProperty(name) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(v => v.GetString()!)] : [element.GetProperty(name).GetString()!];

    [Fact]
    public void To_connect_is_one_document_one_instance_one_secret_and_one_s_own_sessions()
    {
        var statements = Statements(IamPolicies.Connect(new ConnectScope { Where = Here, SessionBastionId = "i-0abc", SecretArn = Secret, DatabaseResourceId = "cluster-XYZ", DatabaseUsers = ["app", "report"] }));
        Assert.Equal(["Look", "Start", "Channel", "OwnSessions", "Wake", "Password", "SignIn"], statements.Keys);
        Assert.Equal(["arn:aws:ec2:ap-northeast-1:111122223333:instance/i-0abc", "arn:aws:ssm:ap-northeast-1::document/AWS-StartPortForwardingSessionToRemoteHost"], Texts(statements["Start"], "Resource"));
        Assert.Equal("true", statements["Start"].GetProperty("Condition").GetProperty("BoolIfExists").GetProperty("ssm:SessionDocumentAccessCheck").GetString());
        Assert.Equal("${aws:userid}", statements["OwnSessions"].GetProperty("Condition").GetProperty("StringEquals").GetProperty("ssm:resourceTag/aws:ssmmessages:session-id").GetString());
        Assert.Equal(["ssm:ResumeSession", "ssm:TerminateSession"], Texts(statements["OwnSessions"], "Action"));
        Assert.Equal(["ssmmessages:OpenDataChannel"], Texts(statements["Channel"], "Action"));
        Assert.Equal([Secret], Texts(statements["Password"], "Resource"));
        Assert.Equal(["arn:aws:rds-db:ap-northeast-1:111122223333:dbuser:cluster-XYZ/app", "arn:aws:rds-db:ap-northeast-1:111122223333:dbuser:cluster-XYZ/report"], Texts(statements["SignIn"], "Resource"));
    }

    [Fact]
    public void What_is_not_given_is_not_granted()
    {
        var ssh = Statements(IamPolicies.Connect(new ConnectScope { Where = Here, SshBastionId = "i-0def", SecretKeyArn = "arn:aws:kms:ap-northeast-1:111122223333:key/k" }));
        Assert.Equal(["Look", "PushKey"], ssh.Keys);
        Assert.Equal("ec2-user", ssh["PushKey"].GetProperty("Condition").GetProperty("StringEquals").GetProperty("ec2:osuser").GetString());
        Assert.Throws<ArgumentException>(() => IamPolicies.Connect(new ConnectScope { Where = Here }));
    }

    [Fact]
    public void A_document_of_one_s_own_has_the_account_in_its_ARN_and_China_is_another_partition()
    {
        var statements = Statements(IamPolicies.Connect(new ConnectScope { Where = new("cn-north-1", "111122223333"), SessionBastionId = "i-0abc", Document = "OnlyApp" }));
        Assert.Equal(["arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-0abc", "arn:aws-cn:ssm:cn-north-1:111122223333:document/OnlyApp"], Texts(statements["Start"], "Resource"));
    }

    [Fact]
    public void The_bastion_needs_five_actions_and_the_key_only_where_there_is_one()
    {
        Assert.Equal(5, Texts(Statements(IamPolicies.Bastion())["Sessions"], "Action").Length);
        Assert.Equal(["Sessions", "SessionKey"], Statements(IamPolicies.Bastion("arn:aws:kms:ap-northeast-1:111122223333:key/k")).Keys);
    }

    [Fact]
    public async Task The_page_on_IAM_shows_the_bastion_s_policy_as_it_is()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(TemplateFiles.Folder, "../../../docs/iam.md"), TestContext.Current.CancellationToken);
        Assert.Contains(IamPolicies.Bastion(), page, StringComparison.Ordinal);
    }

    [Fact]
    public void To_build_needs_only_what_the_plan_builds()
    {
        HashSet<string> Sids(StackPlan plan) => [.. Statements(IamPolicies.Up(plan, Here)).Keys];
        var endpoints = Sids(Sites.Plan());
        Assert.Superset(new HashSet<string> { "Stack", "Look", "Image", "Network", "Groups", "Endpoints", "PrivateNames", "Bastions", "Tags", "Role", "RolePolicy", "Profile", "GiveRole", "Database", "Snapshot", "MasterSecret" }, endpoints);
        Assert.DoesNotContain("Nat", endpoints);
        Assert.Contains("Nat", Sids(Sites.Plan(change: o => o with { Endpoints = EndpointChoice.Nat })));
        Assert.DoesNotContain("Snapshot", Sids(Sites.Plan(change: o => o with { SnapshotOnDelete = false })));
        var attached = Sids(Sites.All().First(s => s.Name == "Public-none-mixed-existing").Plan);
        Assert.Empty(attached.Intersect(["Network", "Nat", "Endpoints", "Database", "Snapshot", "MasterSecret", "Key", "ServiceRole"]));
    }

    [Fact]
    public void To_build_never_is_everything_and_gives_a_role_nothing_but_Session_Manager()
    {
        var longest = Sites.Plan(StackPattern.Both, o => o with { Name = new string('n', 100), Endpoints = EndpointChoice.Nat });
        Assert.InRange(IamPolicies.Up(longest, new("us-gov-east-1", "111122223333")).Count(c => !char.IsWhiteSpace(c)), 1, 6_144);
        foreach (var (_, plan) in Sites.All())
        {
            var policy = IamPolicies.Up(plan, Here);
            var statements = Statements(policy);
            // A managed policy may have this many characters, spaces not counted.
            Assert.InRange(policy.Count(c => !char.IsWhiteSpace(c)), 1, 6_144);
            Assert.All(statements.Values.SelectMany(s => Texts(s, "Action")), a => Assert.DoesNotContain('*', a));
            Assert.All(statements.Where(s => Texts(s.Value, "Resource").Contains("*")), s => Assert.Contains(s.Key, new[] { "Look", "PrivateNames" }));
            Assert.All(Texts(statements["Look"], "Action"), a => Assert.Matches("^[a-z0-9]+:(Describe|Get)", a));
            Assert.Equal("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", statements["RolePolicy"].GetProperty("Condition").GetProperty("ArnEquals").GetProperty("iam:PolicyARN").GetString());
            Assert.Equal("ec2.amazonaws.com", statements["GiveRole"].GetProperty("Condition").GetProperty("StringEquals").GetProperty("iam:PassedToService").GetString());
        }
    }
}
