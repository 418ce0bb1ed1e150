using System.Net;
using Xunit;

namespace Fumidai.Aws.Tests;

public sealed class EnvironmentProxyTests
{
    private static EnvironmentProxy? With(params (string Name, string Value)[] variables) =>
        EnvironmentProxy.From(new AwsEnvironment(variables.ToDictionary(v => v.Name, v => v.Value).GetValueOrDefault, "/"));

    [Fact]
    public void Without_variables_there_is_no_proxy()
    {
        Assert.Null(With());
        Assert.Null(With(("NO_PROXY", "*")));
        Assert.Null(With(("HTTPS_PROXY", "")));
    }

    [Theory]
    [InlineData("https://ssm.ap-northeast-1.amazonaws.com/", "http://secure:3128/")]
    [InlineData("wss://ssmmessages.ap-northeast-1.amazonaws.com/v1", "http://secure:3128/")]
    [InlineData("http://checkip.example/", "http://plain:8080/")]
    [InlineData("ws://relay.example/", "http://plain:8080/")]
    public void The_scheme_of_the_destination_chooses_the_proxy(string destination, string expected) =>
        Assert.Equal(expected, With(("HTTPS_PROXY", "http://secure:3128"), ("HTTP_PROXY", "plain:8080"))!.GetProxy(new Uri(destination))!.AbsoluteUri);

    [Fact]
    public void With_one_variable_the_other_scheme_goes_direct()
    {
        var proxy = With(("HTTPS_PROXY", "http://secure:3128"))!;
        Assert.Null(proxy.GetProxy(new Uri("http://example.com/")));
        Assert.True(proxy.IsBypassed(new Uri("http://example.com/")));
    }

    [Fact]
    public void The_lower_case_variable_wins() =>
        Assert.Equal("lower", With(("https_proxy", "http://lower:1"), ("HTTPS_PROXY", "http://upper:2"))!.GetProxy(new Uri("https://example.com/"))!.Host);

    [Theory]
    [InlineData("*", "https://ssm.eu-west-1.amazonaws.com/", true)]
    [InlineData("amazonaws.com", "https://ssm.eu-west-1.amazonaws.com/", true)]
    [InlineData(".amazonaws.com", "https://ssm.eu-west-1.amazonaws.com/", true)]
    [InlineData("*.amazonaws.com", "https://ssm.eu-west-1.amazonaws.com/", true)]
    [InlineData("AMAZONAWS.COM", "https://ssm.eu-west-1.amazonaws.com/", true)]
    [InlineData("aws.com", "https://ssm.eu-west-1.amazonaws.com/", false)]
    [InlineData("other.com, ssm.eu-west-1.amazonaws.com", "wss://ssm.eu-west-1.amazonaws.com/", true)]
    [InlineData("example.com:8443", "https://example.com:8443/", true)]
    [InlineData("example.com:8443", "https://example.com/", false)]
    [InlineData("10.0.0.0/8", "https://10.20.30.40/", true)]
    [InlineData("10.0.0.0/8", "https://11.20.30.40/", false)]
    [InlineData("192.0.2.1", "https://192.0.2.1/", true)]
    [InlineData("fd00::/8", "https://[fd00::5]/", true)]
    [InlineData("fd00::5", "https://[fd00::5]/", true)]
    [InlineData("nothing", "https://127.0.0.1:5000/", true)]
    [InlineData("nothing", "https://localhost/", true)]
    public void No_proxy_lists_names_addresses_and_networks(string noProxy, string destination, bool isBypassed) =>
        Assert.Equal(isBypassed, With(("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", noProxy))!.IsBypassed(new Uri(destination)));

    [Fact]
    public void A_login_in_the_address_is_given_to_that_proxy_only()
    {
        var proxy = With(("HTTPS_PROXY", "http://al%40ex:p%3Aw@secure:3128"))!;
        var uri = proxy.GetProxy(new Uri("https://example.com/"))!;
        Assert.DoesNotContain("@", uri.AbsoluteUri, StringComparison.Ordinal);
        var login = proxy.Credentials!.GetCredential(uri, "Basic")!;
        Assert.Equal(("al@ex", "p:w"), (login.UserName, login.Password));
        Assert.Null(proxy.Credentials.GetCredential(new Uri("http://other:3128/"), "Basic"));
    }

    [Fact]
    public void A_broken_address_is_a_configuration_failure_that_does_not_show_it()
    {
        var failure = Assert.Throws<AwsFailure>(() => With(("HTTPS_PROXY", "http://user:pa ss@:x")));
        Assert.Equal(AwsFailureKind.Configuration, failure.Kind);
        Assert.Contains("HTTPS_PROXY", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pa ss", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_go_through_the_proxy_unless_no_proxy_says_otherwise()
    {
        await using var proxy = new FakeAws(_ => FakeAnswer.Ok("198.51.100.7"));
        using var laptop = Laptop.Facing("http://sts.lab.invalid");
        laptop["HTTP_PROXY"] = proxy.Url;
        using (var access = laptop.Open())
            Assert.Equal(IPAddress.Parse("198.51.100.7"), await AskOwnAddress.AskAsync(access, new Uri("http://myip.lab.invalid/"), TestContext.Current.CancellationToken));
        Assert.Equal("http://myip.lab.invalid/", Assert.Single(proxy.Requests).Path);

        laptop["NO_PROXY"] = "lab.invalid";
        using var direct = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => AskOwnAddress.AskAsync(direct, new Uri("http://myip.lab.invalid/"), TestContext.Current.CancellationToken));
        Assert.Contains("myip.lab.invalid does not resolve", failure.Message, StringComparison.Ordinal);
        Assert.Single(proxy.Requests);
    }

    [Fact]
    public async Task A_proxy_that_wants_a_login_gets_it_and_one_that_does_not_let_through_is_told()
    {
        await using var proxy = new FakeAws(r => r.Header("Proxy-Authorization").Length == 0
            ? new FakeAnswer(407, "", "text/plain", ("Proxy-Authenticate", "Basic realm=\"p\"")) : new FakeAnswer(403, "", "text/plain"));
        using var laptop = Laptop.Facing("https://aws.lab.invalid");
        laptop["HTTPS_PROXY"] = $"http://alice:s3cret@127.0.0.1:{proxy.Port}";
        using var access = laptop.Open();
        var failure = await Assert.ThrowsAsync<AwsFailure>(() => FindTargets.GetAsync(access, DatabaseKind.Cluster, "app", TestContext.Current.CancellationToken));
        Assert.Equal((AwsFailureKind.Network, "rds:DescribeDBClusters: the proxy did not let us through to aws.lab.invalid (HTTP 403)"), (failure.Kind, failure.Message));
        var login = proxy.Requests.Last(r => r.Header("Proxy-Authorization").Length > 0);
        Assert.Equal("CONNECT", login.Method);
        Assert.Equal("Basic " + Convert.ToBase64String("alice:s3cret"u8), login.Header("Proxy-Authorization"));
    }
}
