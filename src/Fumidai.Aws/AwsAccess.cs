using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Amazon.EC2;
using Amazon.KeyManagementService;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.SecurityToken;
using Amazon.SimpleSystemsManagement;

namespace Fumidai.Aws;

/// <summary>Access to one account and region: credentials, endpoints, proxy and roots, resolved once as the AWS CLI would. Safe for several tasks.</summary>
public sealed class AwsAccess : IDisposable
{
    private static readonly string[] AmazonSuffixes = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu"];

    private readonly CertificateBundle? _bundle;
    private readonly SharedHttp _http;
    private readonly ServiceClients _clients;
    private readonly Lazy<AmazonSimpleSystemsManagementClient> _ssm;
    private readonly Lazy<AmazonEC2Client> _ec2;
    private readonly Lazy<AmazonSecurityTokenServiceClient> _sts;
    private readonly Lazy<AmazonKeyManagementServiceClient> _kms;
    private readonly Lazy<RawAwsClient> _rds;
    private readonly Lazy<RawAwsClient> _secretsManager;
    private readonly Lazy<RawAwsClient> _instanceConnect;
    private readonly Lazy<RawAwsClient> _cloudFormation;
    private readonly Lazy<RawAwsClient> _tagging;
    private readonly Lazy<RawAwsClient> _rdsData;
    private readonly Lazy<RawAwsClient> _iam;
    private readonly Lazy<RawAwsClient> _pricing;

    private AwsAccess(AwsSettings settings, TimeProvider time, AwsEnvironment environment)
    {
        var files = ConfigFiles.Read(environment);
        var named = NullIfEmpty(settings.Profile) ?? environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"];
        var profile = files.Profile(named ?? "default");
        if (named is not null and not "default" && profile is null)
            throw UnknownProfile(named, files);
        Time = time;
        Region = RegionOf(settings, environment, profile);
        Proxy = EnvironmentProxy.From(environment);
        _bundle = CertificateBundle.From(environment, profile);
        var endpoints = new Endpoints(NullIfEmpty(settings.EndpointUrl), environment, profile, ServicesOf(profile, files));
        HasCustomEndpoint = endpoints.For(AwsService.Rds) is { } rds && !IsAmazon(rds.Host);
        _http = new SharedHttp(Proxy, Roots);
        try
        {
            _clients = new ServiceClients(Region, endpoints, _http, environment, profile, time);
            Credentials = new CredentialChain(environment, files, _clients, time).Resolve(named ?? "default", NullIfEmpty(settings.Profile) is not null);
        }
        catch
        {
            _http.Dispose();
            throw;
        }
        _ssm = new(() => _clients.NewSsm(Credentials));
        _ec2 = new(() => _clients.NewEc2(Credentials));
        _sts = new(() => _clients.NewSts(Credentials));
        _kms = new(() => _clients.NewKms(Credentials));
        _rds = new(() => _clients.NewRaw(AwsService.Rds, Credentials));
        _secretsManager = new(() => _clients.NewRaw(AwsService.SecretsManager, Credentials));
        _instanceConnect = new(() => _clients.NewRaw(AwsService.InstanceConnect, Credentials));
        _cloudFormation = new(() => _clients.NewRaw(AwsService.CloudFormation, Credentials));
        _tagging = new(() => _clients.NewRaw(AwsService.Tagging, Credentials));
        _rdsData = new(() => _clients.NewOnce(AwsService.RdsData, Credentials));
        _iam = new(() => _clients.NewRaw(AwsService.IdentityAccess, Credentials));
        _pricing = new(() => _clients.NewRaw(AwsService.Pricing, Credentials));
    }

    /// <summary>Resolves settings. Makes no call, so a role that may not be assumed, or an instance without a role, shows at the first question.</summary>
    /// <exception cref="AwsFailure">Configuration: no region, an unknown profile, wrong files, addresses or bundle. Credentials: none, or of a kind that is not supported.</exception>
    public static AwsAccess Open(AwsSettings settings, TimeProvider time) => Open(settings, time, AwsEnvironment.OfThisProcess());

    internal static AwsAccess Open(AwsSettings settings, TimeProvider time, AwsEnvironment environment) => new(settings, time, environment);

    /// <summary>The region that <see cref="Open(AwsSettings, TimeProvider)"/> would take, for those who need no credentials; null: none is named anywhere.</summary>
    /// <exception cref="AwsFailure">Configuration: wrong files, or what is named is no region.</exception>
    public static string? FindRegion(AwsSettings settings) => FindRegion(settings, AwsEnvironment.OfThisProcess());

    internal static string? FindRegion(AwsSettings settings, AwsEnvironment environment)
    {
        var profile = ConfigFiles.Read(environment).Profile(NullIfEmpty(settings.Profile) ?? environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"] ?? "default");
        return NamedRegion(settings, environment, profile) is null ? null : RegionOf(settings, environment, profile);
    }

    /// <summary>The region's name.</summary>
    public string Region { get; }

    /// <summary>Whether RDS is asked at an endpoint the user named and that is not AWS's: then <see cref="Roots"/> also vouch for databases.</summary>
    public bool HasCustomEndpoint { get; }

    /// <summary>Roots of <c>AWS_CA_BUNDLE</c>/<c>ca_bundle</c>; null: the system's.</summary>
    public X509Certificate2Collection? Roots => _bundle?.Roots;

    /// <summary>The file <see cref="Roots"/> came from, as an absolute path; null: none.</summary>
    public string? RootsFile => _bundle?.File;

    /// <summary>Proxy by <c>HTTPS_PROXY</c>, <c>HTTP_PROXY</c>, <c>NO_PROXY</c>, for https and wss, http and ws; null: none.</summary>
    public IWebProxy? Proxy { get; }

    internal TimeProvider Time { get; }

    internal AWSCredentials Credentials { get; }

    internal HttpClient Http => _http.Client;

    internal AmazonSimpleSystemsManagementClient Ssm => _ssm.Value;

    internal AmazonEC2Client Ec2 => _ec2.Value;

    internal AmazonSecurityTokenServiceClient Sts => _sts.Value;

    internal AmazonKeyManagementServiceClient Kms => _kms.Value;

    internal RawAwsClient Rds => _rds.Value;

    internal RawAwsClient SecretsManager => _secretsManager.Value;

    internal RawAwsClient InstanceConnect => _instanceConnect.Value;

    internal RawAwsClient CloudFormation => _cloudFormation.Value;

    internal RawAwsClient Tagging => _tagging.Value;

    internal RawAwsClient RdsData => _rdsData.Value;

    internal RawAwsClient Iam => _iam.Value;

    internal RawAwsClient NewRaw(AwsService service) => _clients.NewRaw(service, Credentials);

    internal RawAwsClient Pricing => _pricing.Value;

    /// <summary>Where a service is asked.</summary>
    internal Uri UrlOf(AwsService service) => _clients.UrlOf(service);

    /// <summary>Makes a call; whatever it throws becomes an <see cref="AwsFailure"/> that names the operation.</summary>
    internal Task<T> AskAsync<T>(AwsService service, string operation, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken) =>
        _clients.AskAsync(service, operation, call, cancellationToken);

    /// <summary>What the SDK has learnt this machine's clock to be off by, from answers of SSM; what we sign ourselves must follow it.</summary>
    internal TimeSpan ClockCorrection => CorrectClockSkew.GetClockCorrectionForEndpoint(new Uri(Ssm.Config.DetermineServiceOperationEndpoint(
        new ServiceOperationEndpointParameters(new Amazon.SimpleSystemsManagement.Model.StartSessionRequest())).URL).ToString());

    /// <summary>Closes the clients and their connections.</summary>
    public void Dispose()
    {
        DisposeOf(_ssm);
        DisposeOf(_ec2);
        DisposeOf(_sts);
        DisposeOf(_kms);
        DisposeOf(_rds);
        DisposeOf(_secretsManager);
        DisposeOf(_instanceConnect);
        DisposeOf(_cloudFormation);
        DisposeOf(_tagging);
        DisposeOf(_rdsData);
        DisposeOf(_iam);
        DisposeOf(_pricing);
        (Credentials as IDisposable)?.Dispose();
        _http.Dispose();
    }

    // The annotation is Lazy<T>'s own; without it the trimmer refuses.
    private static void DisposeOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(Lazy<T> client) where T : IDisposable
    {
        if (client.IsValueCreated)
            client.Value.Dispose();
    }

    private static string RegionOf(AwsSettings settings, AwsEnvironment environment, ConfigSection? profile)
    {
        var region = NamedRegion(settings, environment, profile)
            ?? throw new AwsFailure(AwsFailureKind.Configuration, "region", null, "no AWS region: give --region, set AWS_REGION, or put region into the profile");
        // It becomes part of host names.
        return region.Length <= 40 && region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? region
            : throw new AwsFailure(AwsFailureKind.Configuration, "region", null, $"{Failures.OneLine(region)} is not the name of an AWS region");
    }

    private static string? NamedRegion(AwsSettings settings, AwsEnvironment environment, ConfigSection? profile) =>
        NullIfEmpty(settings.Region) ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? profile?["region"];

    private static ConfigSection? ServicesOf(ConfigSection? profile, ConfigFiles files) => profile?["services"] is { } name
        ? files.Services(name) ?? throw new AwsFailure(AwsFailureKind.Configuration, $"profile {profile.Name}", null, $"profile {profile.Name} names services {name}, but {files.ConfigPath} has no [services {name}]")
        : null;

    private static AwsFailure UnknownProfile(string name, ConfigFiles files)
    {
        var known = string.Join(", ", files.ProfileNames.Order(StringComparer.Ordinal).Take(10));
        return new AwsFailure(AwsFailureKind.Configuration, "profile", null,
            $"there is no AWS profile {name} in {files.ConfigPath} or {files.CredentialsPath}{(known.Length > 0 ? $" (there are: {known})" : "")}");
    }

    private static bool IsAmazon(string host) => AmazonSuffixes.Any(suffix => host.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
