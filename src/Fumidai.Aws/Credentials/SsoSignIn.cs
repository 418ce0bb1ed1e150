using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Amazon.SSO.Model;
using Amazon.SSOOIDC.Model;

namespace Fumidai.Aws;

/// <summary>
/// Keys of an IAM Identity Center role for the token that <c>aws sso login</c> left in the AWS CLI's cache; with an <c>sso-session</c> the
/// token is renewed, and the renewed one written back for the CLI. Own code instead of the SDK's because that knows no CA bundle, reads
/// only the process's environment, and under NativeAOT works through process-wide registration (dotnet-facts §2.1).
/// </summary>
internal sealed class SsoSignIn : IKeySource
{
    private static readonly TimeSpan RenewAhead = TimeSpan.FromMinutes(10);

    private readonly string _profile;
    private readonly string _account;
    private readonly string _role;
    private readonly string _region;
    private readonly bool _isRenewable;
    private readonly string _cacheFile;
    private readonly ServiceClients _clients;
    private readonly TimeProvider _time;

    private SsoSignIn(string profile, string account, string role, string region, bool isRenewable, string cacheFile, ServiceClients clients, TimeProvider time) =>
        (_profile, _account, _role, _region, _isRenewable, _cacheFile, _clients, _time) = (profile, account, role, region, isRenewable, cacheFile, clients, time);

    /// <exception cref="AwsFailure">Configuration: a key is missing.</exception>
    public static SsoSignIn Of(ConfigSection profile, ConfigFiles files, ServiceClients clients, AwsEnvironment environment, TimeProvider time)
    {
        var session = profile["sso_session"] is { } name
            ? files.SsoSession(name) ?? throw Wrong(profile, $"names sso_session {name}, which does not exist")
            : null;
        var (region, startUrl) = ((session ?? profile)["sso_region"], (session ?? profile)["sso_start_url"]);
        if (region is null || startUrl is null || profile["sso_account_id"] is not { } account || profile["sso_role_name"] is not { } role)
            throw Wrong(profile, "lacks one of sso_region, sso_start_url, sso_account_id, sso_role_name");
        // The CLI's file name; SHA-1 is its choice and protects nothing.
#pragma warning disable CA5350
        var hash = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(session?.Name ?? startUrl)));
#pragma warning restore CA5350
        var file = Path.Combine(environment.Home, ".aws", "sso", "cache", hash + ".json");
        return new SsoSignIn(profile.Name, account, role, region, session is not null, file, clients, time);
    }

    public async Task<Keys> FetchAsync()
    {
        var token = await TokenAsync().ConfigureAwait(false);
        using var sso = _clients.NewSso(_region);
        try
        {
            var answer = await _clients.AskAsync(AwsService.Sso, "GetRoleCredentials", stop => sso.GetRoleCredentialsAsync(
                new GetRoleCredentialsRequest { AccessToken = token, AccountId = _account, RoleName = _role }, stop), CancellationToken.None).ConfigureAwait(false);
            var keys = answer.RoleCredentials;
            return new Keys(keys.AccessKeyId, keys.SecretAccessKey, keys.SessionToken,
                keys.Expiration is > 0 and var end ? DateTimeOffset.FromUnixTimeMilliseconds(end) : null);
        }
        catch (AwsFailure f) when (f.Code == "UnauthorizedException")
        {
            throw SignInAgain(f);
        }
    }

    private async Task<string> TokenAsync()
    {
        Dictionary<string, string> cached;
        try
        {
            using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(_cacheFile).ConfigureAwait(false));
            cached = json.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String)
                .ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw SignInAgain(e is JsonException ? null : e);
        }
        var token = cached.GetValueOrDefault("accessToken") ?? throw SignInAgain(null);
        var left = (Time(cached, "expiresAt") ?? throw SignInAgain(null)) - _time.GetUtcNow();
        if (left > RenewAhead)
            return token;
        var canRenew = _isRenewable && cached.ContainsKey("refreshToken") && cached.ContainsKey("clientId") && cached.ContainsKey("clientSecret")
            && (Time(cached, "registrationExpiresAt") is not { } end || end > _time.GetUtcNow());
        if (!canRenew)
            return left > TimeSpan.Zero ? token : throw SignInAgain(null);
        try
        {
            return await RenewAsync(cached).ConfigureAwait(false);
        }
        catch (AwsFailure f)
        {
            if (left > TimeSpan.Zero)
                return token;
            throw f.Kind == AwsFailureKind.Network ? f : SignInAgain(f);
        }
    }

    private async Task<string> RenewAsync(Dictionary<string, string> cached)
    {
        using var oidc = _clients.NewSsoOidc(_region);
        var answer = await _clients.AskAsync(AwsService.SsoOidc, "CreateToken", stop => oidc.CreateTokenAsync(new CreateTokenRequest
        {
            ClientId = cached["clientId"],
            ClientSecret = cached["clientSecret"],
            GrantType = "refresh_token",
            RefreshToken = cached["refreshToken"],
        }, stop), CancellationToken.None).ConfigureAwait(false);
        cached["accessToken"] = answer.AccessToken;
        cached["expiresAt"] = _time.GetUtcNow().AddSeconds(answer.ExpiresIn ?? 0).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        if (answer.RefreshToken is { Length: > 0 } next)
            cached["refreshToken"] = next;
        Write(cached);
        return answer.AccessToken;
    }

    /// <summary>Replaces the CLI's file by rename, readable by its owner alone. A cache that cannot be written is only a cache.</summary>
    private void Write(Dictionary<string, string> cached)
    {
        var temporary = $"{_cacheFile}.{Guid.NewGuid():N}";
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(temporary, options))
            using (var writer = new Utf8JsonWriter(file))
            {
                writer.WriteStartObject();
                foreach (var (name, value) in cached)
                    writer.WriteString(name, value);
                writer.WriteEndObject();
            }
            File.Move(temporary, _cacheFile, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            try
            {
                File.Delete(temporary);
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    private static DateTimeOffset? Time(Dictionary<string, string> cached, string key) =>
        cached.TryGetValue(key, out var text) && DateTimeOffset.TryParse(text.Replace("UTC", "Z", StringComparison.Ordinal), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private AwsFailure SignInAgain(Exception? inner) => new(AwsFailureKind.Credentials, "sso", null,
        $"the sign-in of profile {_profile} at IAM Identity Center is missing or over; run: aws sso login --profile {_profile}", inner);

    private static AwsFailure Wrong(ConfigSection profile, string what) =>
        new(AwsFailureKind.Configuration, $"profile {profile.Name}", null, $"profile {profile.Name} {what}");
}
