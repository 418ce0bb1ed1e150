using Amazon.Runtime;
using Xunit;

namespace Fumidai.Aws.Tests;

/// <summary>Vector V11 of the protocol reference: made by the official plugin's own signer.</summary>
public sealed class SignWebSocketTests
{
    private const string Url = "wss://ssmmessages.us-east-1.amazonaws.com/v1/data-channel/al@ex.com-0a1b2c3d?role=publish_subscribe&cell-number=A+b/c==";
    private const string SecretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    private static readonly DateTimeOffset At = new(2023, 11, 14, 22, 13, 20, TimeSpan.Zero);

    private static Dictionary<string, string> Sign(string url, string? token = null) =>
        SignWebSocket.Sign(url, new ImmutableCredentials("AKIDEXAMPLE", SecretKey, token), "us-east-1", At).ToDictionary();

    [Fact]
    public void The_signature_is_the_official_plugins()
    {
        var headers = Sign(Url);
        Assert.Equal("20231114T221320Z", headers["X-Amz-Date"]);
        Assert.Equal("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/us-east-1/ssmmessages/aws4_request, SignedHeaders=host;x-amz-date, Signature=ff124bf5ba584375af52d80e93fe3e82746c5aa2157c32941607699e08e5de55", headers["Authorization"]);
        Assert.Equal(2, headers.Count);
    }

    [Fact]
    public void The_signature_with_a_session_token_is_the_official_plugins()
    {
        var headers = Sign(Url, "TOKEN");
        Assert.EndsWith("SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=8d1adf08ad81d1da5b0469b37a1eda631dbae7f892ea9c05e62acf0ade6ed942", headers["Authorization"], StringComparison.Ordinal);
        Assert.Equal("TOKEN", headers["X-Amz-Security-Token"]);
    }

    [Fact]
    public void Path_and_query_are_canonicalised_as_in_the_vector()
    {
        Assert.Equal("/v1/data-channel/al%40ex.com-0a1b2c3d", SignWebSocket.CanonicalPath("/v1/data-channel/al@ex.com-0a1b2c3d"));
        Assert.Equal("cell-number=A%20b%2Fc%3D%3D&role=publish_subscribe", SignWebSocket.CanonicalQuery("role=publish_subscribe&cell-number=A+b/c=="));
    }

    [Fact]
    public void The_default_port_is_not_part_of_the_signed_host_and_another_is()
    {
        Assert.Equal(Sign(Url)["Authorization"], Sign(Url.Replace("amazonaws.com/", "amazonaws.com:443/", StringComparison.Ordinal))["Authorization"]);
        Assert.NotEqual(Sign(Url)["Authorization"], Sign(Url.Replace("amazonaws.com/", "amazonaws.com:8443/", StringComparison.Ordinal))["Authorization"]);
    }

    [Theory]
    [InlineData("X-Amz-Signature=abc", true)]
    [InlineData("x-amz-security-token=abc", true)]
    [InlineData("role=publish_subscribe&X-Amz-Expires=60", true)]
    [InlineData("role=publish_subscribe&cell-number=X-Amz-Signature", false)]
    [InlineData("", false)]
    public void A_url_with_presign_parameters_is_recognised(string query, bool isPresigned) =>
        Assert.Equal(isPresigned, SignWebSocket.IsPresigned("wss://h/v1/data-channel/s?" + query));

    [Fact]
    public async Task A_presigned_url_gets_no_headers_and_any_other_is_signed_for_the_region_of_the_access()
    {
        using var laptop = Laptop.Facing("http://127.0.0.1:9");
        laptop["AWS_SESSION_TOKEN"] = "TOKEN";
        using var access = laptop.Open();
        var control = SessionCalls.Control(access);
        Assert.Empty(await control.SignAsync(Url + "&X-Amz-Signature=00", TestContext.Current.CancellationToken));
        var headers = (await control.SignAsync(Url, TestContext.Current.CancellationToken)).ToDictionary();
        Assert.Contains("/ap-northeast-1/ssmmessages/aws4_request", headers["Authorization"], StringComparison.Ordinal);
        Assert.Equal("TOKEN", headers["X-Amz-Security-Token"]);
    }
}
