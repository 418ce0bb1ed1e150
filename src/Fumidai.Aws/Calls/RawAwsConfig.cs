using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Endpoints.StandardLibrary;

namespace Fumidai.Aws;

/// <summary>Configuration of a <see cref="RawAwsClient"/>: what a generated client's configuration class holds as constants.</summary>
internal sealed class RawAwsConfig : ClientConfig
{
    private static readonly List<IDefaultConfiguration> Defaults =
    [
        new DefaultConfiguration
        {
            Name = DefaultConfigurationMode.Standard,
            RetryMode = RequestRetryMode.Standard,
            S3UsEast1RegionalEndpoint = S3UsEast1RegionalEndpointValue.Regional,
        },
    ];

    public RawAwsConfig(AwsService service) : base(new DefaultConfigurationProvider(Defaults))
    {
        Service = service;
        ServiceId = service.Id;
        AuthenticationServiceName = service.SigningName ?? service.EndpointPrefix;
        EndpointProvider = new RawEndpointProvider(service);
    }

    public AwsService Service { get; }

    public override string RegionEndpointServiceName => Service.EndpointPrefix;

    public override string ServiceVersion => Service.ApiVersion;

    public override string UserAgent => SharedHttp.UserAgent;

    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters) =>
        EndpointProvider.ResolveEndpoint(RawEndpointResolver.ParametersOf(this));
}

/// <summary>The rule set every regional service shares: the named endpoint, or prefix, region and the partition's suffix.</summary>
internal sealed class RawEndpointProvider(AwsService service) : IEndpointProvider
{
    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        if (parameters["Endpoint"] is string named)
            return new Endpoint(named);
        var region = (string?)parameters["Region"] ?? throw new AmazonClientException("no region is set");
        return new Endpoint("https://" + HostOf(service, region, parameters["UseFIPS"] is true, parameters["UseDualStack"] is true));
    }

    public static string HostOf(AwsService service, string region, bool fips, bool dualStack)
    {
        var partition = Fn.Partition(region);
        if (service.IsGlobal && partition.name == "aws")
            return $"{service.EndpointPrefix}.{partition.dnsSuffix}";
        region = service.HomeRegion is { } home && partition.name == "aws" ? home : region;
        return $"{service.EndpointPrefix}{(fips ? "-fips" : "")}.{region}.{(dualStack ? partition.dualStackDnsSuffix : partition.dnsSuffix)}";
    }
}

/// <summary>Feeds the client's configuration to <see cref="RawEndpointProvider"/>.</summary>
internal sealed class RawEndpointResolver : BaseEndpointResolver
{
    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext) => ParametersOf(requestContext.ClientConfig);

    // RegionEndpoint is read before ServiceURL: its first read may clear an endpoint (dotnet-facts §2.2).
    public static EndpointParameters ParametersOf(IClientConfig config) => new()
    {
        ["Region"] = config.RegionEndpoint?.SystemName ?? config.AuthenticationRegion,
        ["UseFIPS"] = config.UseFIPSEndpoint,
        ["UseDualStack"] = config.UseDualstackEndpoint,
        ["Endpoint"] = config.ServiceURL,
    };
}
