namespace Fumidai.Aws;

/// <summary>
/// Endpoints the user named, in the AWS CLI's order: <c>--endpoint-url</c>, <c>AWS_ENDPOINT_URL_SERVICE</c>, <c>AWS_ENDPOINT_URL</c>,
/// the profile's <c>services</c> section, the profile's <c>endpoint_url</c>.
/// </summary>
internal sealed class Endpoints(string? commandLine, AwsEnvironment environment, ConfigSection? profile, ConfigSection? services)
{
    private readonly bool _isIgnored = environment.IsTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        || string.Equals(profile?["ignore_configured_endpoint_urls"], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The named endpoint of a service; null: AWS's own.</summary>
    /// <exception cref="AwsFailure">Configuration: not an http or https address.</exception>
    public Uri? For(AwsService service)
    {
        // A bearer token of IAM Identity Center goes nowhere but to the real thing unless the variable of that very service says so.
        var isSignIn = service == AwsService.Sso || service == AwsService.SsoOidc;
        if (commandLine is { Length: > 0 } && !isSignIn)
            return Checked(commandLine, "--endpoint-url");
        if (_isIgnored)
            return null;
        var key = service.Id.Replace(' ', '_').Replace('-', '_');
        var variable = "AWS_ENDPOINT_URL_" + key.ToUpperInvariant();
        if (environment[variable] is { } ofService)
            return Checked(ofService, variable);
        if (environment["AWS_ENDPOINT_URL"] is { } ofAll)
            return Checked(ofAll, "AWS_ENDPOINT_URL");
        if (services?[key.ToLowerInvariant(), "endpoint_url"] is { } ofSection)
            return Checked(ofSection, $"endpoint_url of [services {services.Name}]");
        return profile?["endpoint_url"] is { } ofProfile ? Checked(ofProfile, $"endpoint_url of profile {profile.Name}") : null;
    }

    private static Uri Checked(string text, string setting) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0
            ? uri
            : throw new AwsFailure(AwsFailureKind.Configuration, setting, null, $"{setting} is not an http or https address: {text}");
}
