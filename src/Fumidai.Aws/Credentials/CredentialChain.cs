using Amazon.Runtime;

namespace Fumidai.Aws;

/// <summary>
/// Decides where credentials come from, in the AWS CLI's order: environment (unless a profile was named on the command line), then of the
/// profile: role, web identity, IAM Identity Center, keys, process; then container and instance. Nothing is called here.
/// Roles are ours because the SDK under NativeAOT signs AssumeRole with the wrong keys (dotnet-facts §2.1).
/// </summary>
internal sealed class CredentialChain(AwsEnvironment environment, ConfigFiles files, ServiceClients clients, TimeProvider time)
{
    /// <param name="profileName">The profile in force.</param>
    /// <param name="isOnCommandLine">Whether it was named on the command line: then the environment's keys are passed over.</param>
    public AWSCredentials Resolve(string profileName, bool isOnCommandLine)
    {
        if (!isOnCommandLine && FromEnvironment() is { } ofEnvironment)
            return ofEnvironment;
        var profile = files.Profile(profileName);
        if (profile is not null && IsRole(profile))
            return Role(profile, []);
        if (!isOnCommandLine && environment["AWS_WEB_IDENTITY_TOKEN_FILE"] is { } tokenFile && environment["AWS_ROLE_ARN"] is { } roleArn)
            return Refreshed(new WebIdentity(clients, time, environment.Expand(tokenFile), roleArn, environment["AWS_ROLE_SESSION_NAME"]));
        if (profile is not null && OfProfile(profile) is { } ofProfile)
            return ofProfile;
        if (Container() is { } ofContainer)
            return ofContainer;
        return Instance(profileName) ?? throw new AwsFailure(AwsFailureKind.Credentials, "credentials", null, NoCredentials(profileName));
    }

    private string NoCredentials(string profileName) =>
        $"no AWS credentials: none in the environment, none for profile {profileName} in {files.CredentialsPath} or {files.ConfigPath}; sign in (aws sso login, aws configure) or set AWS_PROFILE";

    private AWSCredentials? FromEnvironment()
    {
        if (environment["AWS_ACCESS_KEY_ID"] is not { } id)
            return null;
        return environment["AWS_SECRET_ACCESS_KEY"] is { } secret
            ? Static(id, secret, environment["AWS_SESSION_TOKEN"] ?? environment["AWS_SECURITY_TOKEN"])
            : throw new AwsFailure(AwsFailureKind.Credentials, "credentials", null, "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not");
    }

    private static bool IsRole(ConfigSection profile) => profile.Has("role_arn") && !profile.Has("web_identity_token_file");

    private static bool HasKeys(ConfigSection profile) => profile.Has("aws_access_key_id");

    /// <summary>All kinds but a role; null: this profile holds none.</summary>
    private AWSCredentials? OfProfile(ConfigSection profile)
    {
        if (profile["web_identity_token_file"] is { } tokenFile && profile["role_arn"] is { } roleArn)
            return Refreshed(new WebIdentity(clients, time, environment.Expand(tokenFile), roleArn, profile["role_session_name"]));
        if (profile.Has("sso_session") || profile.Has("sso_start_url"))
            return Refreshed(SsoSignIn.Of(profile, files, clients, environment, time));
        if (profile["aws_access_key_id"] is { } id)
        {
            return profile["aws_secret_access_key"] is { } secret
                ? Static(id, secret, profile["aws_session_token"])
                : throw Wrong(profile, "has aws_access_key_id but no aws_secret_access_key");
        }
        if (profile["credential_process"] is { } command)
            return Refreshed(new CredentialProcess(profile.Name, command, time));
        if (profile.Has("login_session"))
        {
            throw new AwsFailure(AwsFailureKind.Credentials, "login_session", null,
                $"profile {profile.Name} signs in with 'aws login', which is not supported; make a profile with: credential_process = aws configure export-credentials --profile {profile.Name} --format process");
        }
        return null;
    }

    private RefreshedCredentials Role(ConfigSection profile, HashSet<string> visited)
    {
        if (!visited.Add(profile.Name))
            throw Wrong(profile, $"is part of a loop of source_profile: {string.Join(" → ", visited)} → {profile.Name}");
        if (profile.Has("mfa_serial"))
        {
            throw new AwsFailure(AwsFailureKind.Credentials, "mfa_serial", null,
                $"profile {profile.Name} asks for an MFA code, which is not supported; get credentials first (aws configure export-credentials --profile {profile.Name} --format env) and export them");
        }
        var source = (profile["source_profile"], profile["credential_source"]) switch
        {
            (not null, not null) => throw Wrong(profile, "has both source_profile and credential_source"),
            (null, null) => throw Wrong(profile, "has role_arn but neither source_profile nor credential_source"),
            ({ } name, null) => Source(profile, name, visited),
            (null, "Environment") => FromEnvironment() ?? throw Wrong(profile, "takes its source from the environment, where AWS_ACCESS_KEY_ID is not set"),
            (null, "EcsContainer") => Container() ?? throw Wrong(profile, "takes its source from a container, but this is none (AWS_CONTAINER_CREDENTIALS_… is not set)"),
            (null, "Ec2InstanceMetadata") => Instance(profile.Name) ?? throw Wrong(profile, "takes its source from instance metadata, which AWS_EC2_METADATA_DISABLED switches off"),
            (_, var other) => throw Wrong(profile, $"has an unknown credential_source {other} (Environment, Ec2InstanceMetadata, EcsContainer)"),
        };
        int? duration = null;
        if (profile["duration_seconds"] is { } text)
        {
            duration = int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var seconds) && seconds is >= 900 and <= 43_200
                ? seconds : throw Wrong(profile, "has a duration_seconds that is not 900 to 43200");
        }
        return Refreshed(new AssumedRole(clients, time, source, profile["role_arn"]!, profile["role_session_name"], profile["external_id"], duration));
    }

    private AWSCredentials Source(ConfigSection role, string name, HashSet<string> visited)
    {
        var source = files.Profile(name) ?? throw Wrong(role, $"names source_profile {name}, which does not exist");
        // Keys beside a role_arn are what the profile is as a source, also its own: the CLI's rule.
        if (HasKeys(source) || !IsRole(source))
            return OfProfile(source) ?? throw Wrong(role, $"names source_profile {name}, which has no credentials");
        return Role(source, visited);
    }

    private RefreshedCredentials? Container() =>
        MetadataEndpoint.Container(environment, time) is { } source ? Refreshed(source) : null;

    private RefreshedCredentials? Instance(string profileName) => environment.IsTrue("AWS_EC2_METADATA_DISABLED")
        ? null : Refreshed(MetadataEndpoint.Instance(environment, time, NoCredentials(profileName) + "; no EC2 instance role answered either"));

    private RefreshedCredentials Refreshed(IKeySource source) => new(source, time);

    private static AWSCredentials Static(string id, string secret, string? token) =>
        token is null ? new BasicAWSCredentials(id, secret) : new SessionAWSCredentials(id, secret, token);

    private static AwsFailure Wrong(ConfigSection profile, string what) =>
        new(AwsFailureKind.Configuration, $"profile {profile.Name}", null, $"profile {profile.Name} {what}");
}
