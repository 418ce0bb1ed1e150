using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Fumidai.Aws;

/// <summary>What the user said about AWS on the command line or in fumidai.yaml; environment and profile fill the rest as in the AWS CLI.</summary>
public sealed record AwsSettings
{
    /// <summary>Named profile; null: <c>AWS_PROFILE</c>, else default.</summary>
    public string? Profile { get; init; }
    /// <summary>Region; null: <c>AWS_REGION</c>, <c>AWS_DEFAULT_REGION</c>, the profile's.</summary>
    public string? Region { get; init; }
    /// <summary>Endpoint for every service; null: <c>AWS_ENDPOINT_URL[_SERVICE]</c>, the profile's <c>services</c> section.</summary>
    public string? EndpointUrl { get; init; }
}

/// <summary>Access to one account and region: credentials, endpoints, proxy and roots, resolved once as the AWS CLI would.</summary>
public sealed class AwsAccess : IDisposable
{
    private AwsAccess() => throw new NotImplementedException();

    /// <summary>Resolves settings. Makes no call.</summary>
    /// <exception cref="AwsFailure">No region, no credentials, an unknown profile.</exception>
    public static AwsAccess Open(AwsSettings settings, TimeProvider time) => throw new NotImplementedException();

    /// <summary>The region's name.</summary>
    public string Region => throw new NotImplementedException();

    /// <summary>Whether calls go to an endpoint the user named rather than to AWS: then <see cref="Roots"/> also vouch for databases.</summary>
    public bool HasCustomEndpoint => throw new NotImplementedException();

    /// <summary>Roots of <c>AWS_CA_BUNDLE</c>/<c>ca_bundle</c>; null: the system's.</summary>
    public X509Certificate2Collection? Roots => throw new NotImplementedException();

    /// <summary>The file <see cref="Roots"/> came from; null: none.</summary>
    public string? RootsFile => throw new NotImplementedException();

    /// <summary>Proxy by <c>HTTPS_PROXY</c>, <c>NO_PROXY</c>; null: none.</summary>
    public IWebProxy? Proxy => throw new NotImplementedException();

    /// <summary>Frees the clients.</summary>
    public void Dispose() => throw new NotImplementedException();
}

/// <summary>What kind of refusal an AWS call met.</summary>
public enum AwsFailureKind
{
    /// <summary>No, expired or wrong credentials, wrong profile, clock skew.</summary>
    Credentials,
    /// <summary>Not allowed.</summary>
    Permission,
    /// <summary>Region, profile or endpoint settings are wrong.</summary>
    Configuration,
    /// <summary>The thing asked for does not exist.</summary>
    NotFound,
    /// <summary>Throttled after retries.</summary>
    Throttled,
    /// <summary>The endpoint could not be reached.</summary>
    Network,
    /// <summary>Anything else the service refused.</summary>
    Refused,
}

/// <summary>An AWS call that failed: which, with what code, in AWS's words.</summary>
public sealed class AwsFailure(AwsFailureKind kind, string operation, string? code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What kind of refusal.</summary>
    public AwsFailureKind Kind { get; } = kind;
    /// <summary>Service and operation, e.g. <c>ssm:StartSession</c>; or the setting that was wrong.</summary>
    public string Operation { get; } = operation;
    /// <summary>AWS's error code on the wire, e.g. <c>TargetNotConnected</c>; null when there was no answer.</summary>
    public string? Code { get; } = code;
}
