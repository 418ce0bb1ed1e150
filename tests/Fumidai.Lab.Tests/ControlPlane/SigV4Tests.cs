using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class SigV4Tests
{
    private const string Secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// <summary>Vector V11 of the protocol reference: made by the official plugin's vendored signer.</summary>
    [Theory]
    [InlineData(null, "ff124bf5ba584375af52d80e93fe3e82746c5aa2157c32941607699e08e5de55")]
    [InlineData("TOKEN", "8d1adf08ad81d1da5b0469b37a1eda631dbae7f892ea9c05e62acf0ade6ed942")]
    public void A_websocket_upgrade_is_signed_as_the_official_plugin_signs_it(string? token, string signature)
    {
        var headers = new List<KeyValuePair<string, string>> { new("host", "ssmmessages.us-east-1.amazonaws.com"), new("x-amz-date", "20231114T221320Z") };
        if (token is not null)
            headers.Add(new("x-amz-security-token", token));
        Assert.Equal(signature, SigV4.Compute(Secret, "20231114T221320Z", "20231114/us-east-1/ssmmessages/aws4_request", "GET",
            "/v1/data-channel/al@ex.com-0a1b2c3d?role=publish_subscribe&cell-number=A+b/c==", headers, []));
    }

    /// <summary>The example of AWS's general reference for signing (iam ListUsers, 20150830).</summary>
    [Fact]
    public void Awss_published_example_comes_out_as_published()
    {
        Assert.Equal("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", SigV4.Compute(
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830T123600Z", "20150830/us-east-1/iam/aws4_request", "GET", "/?Action=ListUsers&Version=2010-05-08",
            [new("content-type", "application/x-www-form-urlencoded; charset=utf-8"), new("host", "iam.amazonaws.com"), new("x-amz-date", "20150830T123600Z")], []));
    }
}
