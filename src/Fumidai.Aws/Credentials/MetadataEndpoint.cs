using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>Keys of a container (ECS, EKS Pod Identity) or of an EC2 instance (IMDSv2, then v1), asked of the address beside us, never through a proxy.</summary>
internal sealed class MetadataEndpoint : IKeySource
{
    // The AWS CLI's: one second, so that a laptop is not kept waiting for a service it does not have.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);

    private readonly Func<HttpMessageInvoker, CancellationToken, Task<JsonDocument>> _ask;
    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly string _missing;

    private MetadataEndpoint(Func<HttpMessageInvoker, CancellationToken, Task<JsonDocument>> ask, TimeProvider time, TimeSpan limit, string missing) =>
        (_ask, _time, _limit, _missing) = (ask, time, limit, missing);

    /// <summary>Null when this is no container.</summary>
    public static MetadataEndpoint? Container(AwsEnvironment environment, TimeProvider time)
    {
        var uri = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] is { } relative ? new Uri("http://169.254.170.2" + relative)
            : environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] is { } full ? Allowed(full) : null;
        if (uri is null)
            return null;
        return new MetadataEndpoint(async (http, stop) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            var token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] is { } file
                ? (await File.ReadAllTextAsync(file, stop).ConfigureAwait(false)).Trim()
                : environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
            if (token is not null)
                request.Headers.TryAddWithoutValidation("Authorization", token);
            return JsonDocument.Parse(await TextAsync(http, request, stop).ConfigureAwait(false));
        }, time, 2 * AnswerTimeout, $"the container's credential endpoint {uri.Authority} gave no credentials");
    }

    public static MetadataEndpoint Instance(AwsEnvironment environment, TimeProvider time, string missing)
    {
        var root = (environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
            ?? (string.Equals(environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"], "ipv6", StringComparison.OrdinalIgnoreCase)
                ? "http://[fd00:ec2::254]" : "http://169.254.169.254")).TrimEnd('/');
        return new MetadataEndpoint(async (http, stop) =>
        {
            var token = await TokenAsync(http, root, environment.IsTrue("AWS_EC2_METADATA_V1_DISABLED"), stop).ConfigureAwait(false);
            const string Path = "/latest/meta-data/iam/security-credentials/";
            var role = (await GetAsync(http, root + Path, token, stop).ConfigureAwait(false)).Split('\n')[0].Trim();
            return JsonDocument.Parse(await GetAsync(http, root + Path + Uri.EscapeDataString(role), token, stop).ConfigureAwait(false));
        }, time, 3 * AnswerTimeout, missing);
    }

    public async Task<Keys> FetchAsync()
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = AnswerTimeout, AllowAutoRedirect = false });
        using var limit = new CancellationTokenSource(_limit, _time);
        try
        {
            using var json = await _ask(http, limit.Token).ConfigureAwait(false);
            var (id, secret) = (json.RootElement.Text("AccessKeyId"), json.RootElement.Text("SecretAccessKey"));
            if (id is null || secret is null)
                throw new AwsFailure(AwsFailureKind.Credentials, "credentials", json.RootElement.Text("Code"), _missing);
            DateTimeOffset? expires = DateTimeOffset.TryParse(json.RootElement.Text("Expiration"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
            return new Keys(id, secret, json.RootElement.Text("Token"), expires);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException or UnauthorizedAccessException or JsonException)
        {
            // A JSON error's text may quote keys.
            throw new AwsFailure(AwsFailureKind.Credentials, "credentials", null, _missing, e is JsonException ? null : e);
        }
    }

    private static async Task<string?> TokenAsync(HttpMessageInvoker http, string root, bool isVersion1Off, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, root + "/latest/api/token");
        request.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "21600");
        try
        {
            return await TextAsync(http, request, stop).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (!isVersion1Off && e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
        {
            return null;
        }
    }

    private static async Task<string> GetAsync(HttpMessageInvoker http, string address, string? token, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (token is not null)
            request.Headers.Add("X-aws-ec2-metadata-token", token);
        return await TextAsync(http, request, stop).ConfigureAwait(false);
    }

    private static async Task<string> TextAsync(HttpMessageInvoker http, HttpRequestMessage request, CancellationToken stop)
    {
        using var answer = await http.SendAsync(request, stop).ConfigureAwait(false);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Keys are asked for in plain text of this machine and the two link-local addresses only.</summary>
    private static Uri Allowed(string full)
    {
        if (Uri.TryCreate(full, UriKind.Absolute, out var uri)
            && (uri.Scheme == "https" || uri.Scheme == "http" && (uri.IsLoopback || uri.Host is "169.254.170.2" or "169.254.170.23" or "[fd00:ec2::23]")))
            return uri;
        throw new AwsFailure(AwsFailureKind.Configuration, "AWS_CONTAINER_CREDENTIALS_FULL_URI", null, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of this host");
    }
}
