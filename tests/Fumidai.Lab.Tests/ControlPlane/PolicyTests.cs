using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>Every test puts its policy on a user of its own, so that they do not see each other's.</summary>
public sealed class PolicyTests
{
    private static readonly PolicyOrigin s_origin = new("ap-northeast-1", System.Net.IPAddress.Parse("127.0.0.1"), false);
    private readonly LabModel _model = new();
    private readonly User _user;
    private readonly Permissions _permissions;

    public PolicyTests()
    {
        _permissions = new Permissions(_model);
        _user = new User { Id = "AIDATEST", Account = "111122223333", Region = "", Name = "carol", AccessKeyId = "AKIATEST", SecretAccessKey = "none" };
        _model.Users["111122223333/carol"] = _user;
    }

    [Fact]
    public void Without_any_policy_everything_is_allowed_in_the_lab() => Assert.Equal(Permission.Allowed, Ask("ec2:DescribeInstances"));

    [Theory]
    [InlineData("""{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}""", "ec2:DescribeInstances", nameof(Permission.Allowed))]
    [InlineData("""{"Effect":"Allow","Action":"ec2:describe*","Resource":"*"}""", "ec2:DescribeInstances", nameof(Permission.Allowed))]
    [InlineData("""{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}""", "ec2:StopInstances", nameof(Permission.ImplicitlyDenied))]
    [InlineData("""{"Effect":"Allow","Action":"s?m:*","Resource":"*"}""", "ssm:StartSession", nameof(Permission.Allowed))]
    [InlineData("""{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}""", "ec2:StopInstances", nameof(Permission.Allowed))]
    [InlineData("""{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}""", "iam:GetRole", nameof(Permission.ImplicitlyDenied))]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:Stop*","Resource":"*"}""", "ec2:StopInstances", nameof(Permission.ExplicitlyDenied))]
    [InlineData("""{"Effect":"Deny","NotAction":["sts:*"],"Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}""", "ec2:StopInstances", nameof(Permission.ExplicitlyDenied))]
    public void Statements_allow_and_deny_by_action(string statements, string action, string expected)
    {
        Put(statements);
        Assert.Equal(expected, Ask(action).ToString());
    }

    [Theory]
    [InlineData("arn:aws:ec2:*:*:instance/i-1", nameof(Permission.Allowed))]
    [InlineData("arn:aws:ec2:*:*:instance/*", nameof(Permission.Allowed))]
    [InlineData("arn:aws:ec2:*:*:instance/i-2", nameof(Permission.ImplicitlyDenied))]
    [InlineData("arn:aws:ec2:*:*:INSTANCE/i-1", nameof(Permission.ImplicitlyDenied))]
    public void Statements_hold_for_their_resources_only(string resource, string expected)
    {
        Put($$"""{"Effect":"Allow","Action":"*","Resource":"{{resource}}"}""");
        Assert.Equal(expected, Ask("ec2:StopInstances", "arn:aws:ec2:ap-northeast-1:111122223333:instance/i-1").ToString());
    }

    [Theory]
    [InlineData("""{"StringEquals":{"aws:RequestedRegion":"ap-northeast-1"}}""", true)]
    [InlineData("""{"StringEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]}}""", false)]
    [InlineData("""{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}""", true)]
    [InlineData("""{"StringLike":{"aws:userid":"AIDA*"}}""", true)]
    [InlineData("""{"StringEquals":{"ssm:resourceTag/owner":"${aws:username}"}}""", true)]
    [InlineData("""{"StringEquals":{"ssm:resourceTag/owner":"${aws:userid}"}}""", false)]
    [InlineData("""{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}""", true)]
    [InlineData("""{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","127.0.0.1/32"]}}""", true)]
    [InlineData("""{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}""", false)]
    [InlineData("""{"Bool":{"aws:SecureTransport":"true"}}""", false)]
    [InlineData("""{"Bool":{"ssm:SessionDocumentAccessCheck":"true"}}""", false)]
    [InlineData("""{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}""", true)]
    [InlineData("""{"StringEquals":{"aws:RequestedRegion":"ap-northeast-1"},"Bool":{"aws:SecureTransport":true}}""", false)]
    public void Conditions_decide_whether_a_statement_holds(string condition, bool holds)
    {
        Put($$"""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{condition}}}""");
        Assert.Equal(holds ? Permission.Allowed : Permission.ImplicitlyDenied, Ask("ssm:StartSession"));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}""")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Resource":"*"}]}""")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":"*"}]}""")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":"DescribeInstances","Resource":"*"}]}""")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":"1"}}}]}""")]
    [InlineData("""{"Statement":"none"}""")]
    public void A_document_that_cannot_be_read_is_malformed(string document) =>
        Assert.Equal("MalformedPolicyDocument", Assert.Throws<AwsError>(() => PolicyDocument.Parse(document)).Code);

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("", "", true)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-b-b-d", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("**x", "abcx", true)]
    public void Wildcards_match(string pattern, string text, bool matches) => Assert.Equal(matches, Wildcard.Matches(pattern, text));

    private void Put(string statements) => _user.InlinePolicies["test"] = $$"""{"Version":"2012-10-17","Statement":[{{statements}}]}""";

    private Permission Ask(string action, string resource = "*") => _permissions.Evaluate(Identities.CallerOf(_user), action,
        new PolicyResource(resource, new Dictionary<string, string> { ["ssm:resourceTag/owner"] = "carol" }), s_origin);
}
