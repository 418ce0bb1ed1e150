using Amazon;
using Amazon.EC2;
using Amazon.KeyManagementService;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SimpleSystemsManagement;
using Amazon.SSO;
using Amazon.SSOOIDC;

namespace Fumidai.Aws;

/// <summary>Makes clients that all look alike: region, endpoint, connection pool, retries; and puts a name on what their calls throw.</summary>
internal sealed class ServiceClients(string region, Endpoints endpoints, SharedHttp http, AwsEnvironment environment, ConfigSection? profile, TimeProvider time)
{
    private readonly bool _fips = IsTrue(environment, profile, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    private readonly bool _dualStack = IsTrue(environment, profile, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");

    public AmazonSimpleSystemsManagementClient NewSsm(AWSCredentials credentials) => new(credentials, Configured(new AmazonSimpleSystemsManagementConfig(), AwsService.Ssm));

    public AmazonEC2Client NewEc2(AWSCredentials credentials) => new(credentials, Configured(new AmazonEC2Config(), AwsService.Ec2));

    public AmazonSecurityTokenServiceClient NewSts(AWSCredentials credentials) => new(credentials, Configured(new AmazonSecurityTokenServiceConfig(), AwsService.Sts));

    public AmazonKeyManagementServiceClient NewKms(AWSCredentials credentials) => new(credentials, Configured(new AmazonKeyManagementServiceConfig(), AwsService.Kms));

    /// <summary>IAM Identity Center lives in a region of its own and is asked with a bearer token.</summary>
    public AmazonSSOClient NewSso(string ssoRegion) => new(new AnonymousAWSCredentials(), Configured(new AmazonSSOConfig(), AwsService.Sso, ssoRegion));

    public AmazonSSOOIDCClient NewSsoOidc(string ssoRegion) => new(new AnonymousAWSCredentials(), Configured(new AmazonSSOOIDCConfig(), AwsService.SsoOidc, ssoRegion));

    public RawAwsClient NewRaw(AwsService service, AWSCredentials credentials) => new(credentials, Configured(new RawAwsConfig(service), service, service.HomeRegion));

    /// <summary>Where a service is asked.</summary>
    public Uri UrlOf(AwsService service) => endpoints.For(service) ?? new Uri("https://" + RawEndpointProvider.HostOf(service, region, _fips, _dualStack));

    /// <summary>A client that sends each request once: for what must not happen twice.</summary>
    public RawAwsClient NewOnce(AwsService service, AWSCredentials credentials)
    {
        var config = Configured(new RawAwsConfig(service), service);
        config.MaxErrorRetry = 0;
        return new(credentials, config);
    }

    /// <summary>Makes a call and turns whatever it throws into an <see cref="AwsFailure"/>; the caller's own cancellation passes.</summary>
    public async Task<T> AskAsync<T>(AwsService service, string operation, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e)
        {
            throw Failures.From(e, $"{service.Iam}:{operation}", HostOf(service), time.GetUtcNow());
        }
    }

    /// <summary>Host and, where it is not the usual one, port that a service is asked at.</summary>
    public string HostOf(AwsService service) => endpoints.For(service)?.Authority ?? RawEndpointProvider.HostOf(service, region, _fips, _dualStack);

    private T Configured<T>(T config, AwsService service, string? inRegion = null) where T : ClientConfig
    {
        // Everything the SDK would look up in the process's environment is said here instead.
        config.IgnoreConfiguredEndpointUrls = true;
        config.RegionEndpoint = RegionEndpoint.GetBySystemName(inRegion ?? region);
        var named = endpoints.For(service);
        if (named is not null)
            config.ServiceURL = named.AbsoluteUri;
        // Said even where false, since unsaid the SDK asks the process's environment; beside a named endpoint they are errors.
        config.UseFIPSEndpoint = named is null && _fips;
        config.UseDualstackEndpoint = named is null && _dualStack;
        // Beside a named endpoint the SDK signs a region of its own finding without this (dotnet-facts §6.4).
        config.AuthenticationRegion = inRegion ?? region;
        config.HttpClientFactory = http;
        config.RetryMode = RequestRetryMode.Standard;
        config.MaxErrorRetry = 2;
        config.AllowAutoRedirect = false;
        config.Timeout = SharedHttp.AnswerTimeout;
        return config;
    }

    private static bool IsTrue(AwsEnvironment environment, ConfigSection? profile, string variable, string key) =>
        string.Equals(environment[variable] ?? profile?[key], "true", StringComparison.OrdinalIgnoreCase);
}
