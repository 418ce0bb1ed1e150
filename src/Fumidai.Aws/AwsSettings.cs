namespace Fumidai.Aws;

/// <summary>What the user said about AWS on the command line or in fumidai.yaml; environment and profile fill the rest as in the AWS CLI.</summary>
public sealed record AwsSettings
{
    /// <summary>Named profile; null: <c>AWS_PROFILE</c>, else default. A profile named here wins over credentials in the environment, as with <c>aws --profile</c>.</summary>
    public string? Profile { get; init; }
    /// <summary>Region; null: <c>AWS_REGION</c>, <c>AWS_DEFAULT_REGION</c>, the profile's.</summary>
    public string? Region { get; init; }
    /// <summary>Endpoint for every service; null: <c>AWS_ENDPOINT_URL[_SERVICE]</c>, the profile's <c>services</c> section.</summary>
    public string? EndpointUrl { get; init; }
}
