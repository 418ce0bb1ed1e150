using System.Net;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class SecretsAndIamTests : IAsyncLifetime
{
    private readonly LabFixture _lab = new();

    public ValueTask InitializeAsync() => _lab.InitializeAsync();

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Fact]
    public async Task A_secret_is_created_read_and_replaced()
    {
        var created = (await _lab.SecretsAsync("CreateSecret", """{"Name":"app/login","SecretString":"one"}""")).Succeeded().Json;
        var arn = created.GetProperty("ARN").GetString()!;
        Assert.Equal("ResourceExistsException", (await _lab.SecretsAsync("CreateSecret", """{"Name":"app/login","SecretString":"one"}""")).ErrorCode);
        foreach (var id in (string[])[arn, "app/login", arn[..^7]])
            Assert.Equal("one", (await _lab.SecretsAsync("GetSecretValue", $$"""{"SecretId":"{{id}}"}""")).Succeeded().Json.GetProperty("SecretString").GetString());
        (await _lab.SecretsAsync("PutSecretValue", $$"""{"SecretId":"{{arn}}","SecretString":"two"}""")).Succeeded();
        Assert.Equal("two", (await _lab.SecretsAsync("GetSecretValue", $$"""{"SecretId":"{{arn}}"}""")).Succeeded().Json.GetProperty("SecretString").GetString());
        var old = created.GetProperty("VersionId").GetString();
        Assert.Equal("one", (await _lab.SecretsAsync("GetSecretValue", $$"""{"SecretId":"{{arn}}","VersionId":"{{old}}"}""")).Succeeded().Json.GetProperty("SecretString").GetString());
        Assert.Equal(2, (await _lab.SecretsAsync("DescribeSecret", $$"""{"SecretId":"{{arn}}"}""")).Succeeded().Json.GetProperty("VersionIdsToStages").EnumerateObject().Count());
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_a_bad_request_as_on_aws()
    {
        var answer = await _lab.SecretsAsync("GetSecretValue", """{"SecretId":"nowhere"}""");
        Assert.Equal("ResourceNotFoundException", answer.ErrorCode);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    [Fact]
    public async Task Managed_secrets_are_found_by_their_owner_and_are_not_written()
    {
        (await _lab.SecretsAsync("CreateSecret", """{"Name":"mine","SecretString":"one"}""")).Succeeded();
        var list = (await _lab.SecretsAsync("ListSecrets", """{"Filters":[{"Key":"owning-service","Values":["rds"]}]}""")).Succeeded().Json.GetProperty("SecretList");
        Assert.Equal(1, list.GetArrayLength());
        Assert.StartsWith("rds!cluster-", list[0].GetProperty("Name").GetString());
        var refused = await _lab.SecretsAsync("PutSecretValue", $$"""{"SecretId":"{{list[0].GetProperty("ARN").GetString()}}","SecretString":"x"}""");
        Assert.Equal("InvalidRequestException", refused.ErrorCode);
    }

    [Fact]
    public async Task Secrets_come_in_pages()
    {
        (await _lab.SecretsAsync("CreateSecret", """{"Name":"mine","SecretString":"one"}""")).Succeeded();
        var first = (await _lab.SecretsAsync("ListSecrets", """{"MaxResults":1}""")).Succeeded().Json;
        var second = (await _lab.SecretsAsync("ListSecrets", $$"""{"MaxResults":1,"NextToken":"{{first.GetProperty("NextToken").GetString()}}"}""")).Succeeded().Json;
        Assert.False(second.TryGetProperty("NextToken", out _));
        Assert.NotEqual(first.GetProperty("SecretList")[0].GetProperty("ARN").GetString(), second.GetProperty("SecretList")[0].GetProperty("ARN").GetString());
    }

    [Fact]
    public async Task A_policy_on_one_secret_opens_that_one_alone()
    {
        (await _lab.SecretsAsync("CreateSecret", """{"Name":"mine","SecretString":"one"}""")).Succeeded();
        (await _lab.SecretsAsync("CreateSecret", """{"Name":"other","SecretString":"two"}""")).Succeeded();
        var mine = _lab.Host.Context.Model.Read(m => m.Secrets.Values.First(s => s.Name == "mine").Arn);
        (await _lab.IamAsync("PutUserPolicy", ("UserName", "alice"), ("PolicyName", "one"), ("PolicyDocument",
            $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"{{mine}}"}]}"""))).Succeeded();
        (await _lab.SecretsAsync("GetSecretValue", """{"SecretId":"mine"}""")).Succeeded();
        Assert.Equal("AccessDeniedException", (await _lab.SecretsAsync("GetSecretValue", """{"SecretId":"other"}""")).ErrorCode);
        Assert.Equal("AccessDeniedException", (await _lab.SecretsAsync("GetSecretValue", """{"SecretId":"nowhere"}""")).ErrorCode);
    }

    [Fact]
    public async Task A_roles_policies_are_taken_and_given_back_and_its_agent_follows()
    {
        var bastion = _lab.Host.Context.Model.Read(m => m.Instances.Values.First(i => i.PublicAddress is null));
        Reach Agent() => Reachability.AgentOnline(_lab.Host.Context.Model, bastion.Id);
        var profile = (await _lab.IamAsync("GetInstanceProfile", ("InstanceProfileName", bastion.InstanceProfileArn!.Split('/')[1]))).Succeeded();
        var role = profile.One("RoleName");
        var policy = (await _lab.IamAsync("ListAttachedRolePolicies", ("RoleName", role))).Succeeded().One("PolicyArn");
        (await _lab.IamAsync("DetachRolePolicy", ("RoleName", role), ("PolicyArn", policy))).Succeeded();
        Assert.Contains("does not allow", Agent().Why, StringComparison.Ordinal);
        Assert.Equal("NoSuchEntity", (await _lab.IamAsync("DetachRolePolicy", ("RoleName", role), ("PolicyArn", policy))).ErrorCode);
        (await _lab.IamAsync("PutRolePolicy", ("RoleName", role), ("PolicyName", "least"), ("PolicyDocument", """{"Statement":[{"Effect":"Allow","Action":["ssm:*","ssmmessages:*"],"Resource":"*"}]}"""))).Succeeded();
        Assert.Equal(Verdict.Open, Agent().Verdict);
        Assert.Contains("ssmmessages", Uri.UnescapeDataString((await _lab.IamAsync("GetRolePolicy", ("RoleName", role), ("PolicyName", "least"))).Succeeded().One("PolicyDocument")), StringComparison.Ordinal);

        var name = profile.One("InstanceProfileName");
        (await _lab.IamAsync("RemoveRoleFromInstanceProfile", ("InstanceProfileName", name), ("RoleName", role))).Succeeded();
        Assert.Contains("holds no role", Agent().Why, StringComparison.Ordinal);
        (await _lab.IamAsync("AddRoleToInstanceProfile", ("InstanceProfileName", name), ("RoleName", role))).Succeeded();
        Assert.Equal("LimitExceeded", (await _lab.IamAsync("AddRoleToInstanceProfile", ("InstanceProfileName", name), ("RoleName", "operator"))).ErrorCode);
        Assert.Equal(Verdict.Open, Agent().Verdict);
    }

    [Fact]
    public async Task A_policy_that_cannot_be_read_is_not_put()
    {
        Assert.Equal("MalformedPolicyDocument", (await _lab.IamAsync("PutUserPolicy", ("UserName", "alice"), ("PolicyName", "bad"), ("PolicyDocument", "{}"))).ErrorCode);
        Assert.Equal("NoSuchEntity", (await _lab.IamAsync("GetUserPolicy", ("UserName", "alice"), ("PolicyName", "bad"))).ErrorCode);
        Assert.Equal("NoSuchEntity", (await _lab.IamAsync("AttachRolePolicy", ("RoleName", "operator"), ("PolicyArn", "arn:aws:iam::aws:policy/NoSuch"))).ErrorCode);
    }
}
