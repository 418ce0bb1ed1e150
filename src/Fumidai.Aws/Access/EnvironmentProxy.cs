using System.Net;
using System.Net.Sockets;

namespace Fumidai.Aws;

/// <summary>
/// The proxy that <c>HTTPS_PROXY</c> and <c>HTTP_PROXY</c> name, by the rules of the AWS CLI and curl: the lower-case variable first; the
/// scheme of the destination decides (wss as https); <c>NO_PROXY</c> lists names (with their subdomains), addresses, networks, or <c>*</c>.
/// Loopback is never sent to a proxy.
/// </summary>
internal sealed class EnvironmentProxy : IWebProxy
{
    private readonly Uri? _https;
    private readonly Uri? _http;
    private readonly string[] _bypass;
    private readonly CredentialCache _logins = new();

    private EnvironmentProxy(Uri? https, Uri? http, string[] bypass, params (Uri Proxy, NetworkCredential Login)[] logins)
    {
        (_https, _http, _bypass) = (https, http, bypass);
        foreach (var (proxy, login) in logins.DistinctBy(l => l.Proxy))
        {
            foreach (var scheme in new[] { "Basic", "Digest", "Negotiate", "NTLM" })
                _logins.Add(proxy, scheme, login);
        }
        Credentials = _logins;
    }

    public ICredentials? Credentials { get; set; }

    /// <summary>Null when neither variable is set.</summary>
    /// <exception cref="AwsFailure">Configuration: a variable holds no address.</exception>
    public static EnvironmentProxy? From(AwsEnvironment environment)
    {
        var (https, httpsLogin) = Parse(environment, "https_proxy");
        var (http, httpLogin) = Parse(environment, "http_proxy");
        if (https is null && http is null)
            return null;
        var bypass = (environment.LowerThenUpper("no_proxy") ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var logins = new List<(Uri, NetworkCredential)>();
        if (httpsLogin is not null)
            logins.Add((https!, httpsLogin));
        if (httpLogin is not null)
            logins.Add((http!, httpLogin));
        return new EnvironmentProxy(https, http, bypass, [.. logins]);
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null
        : destination.Scheme is "https" or "wss" ? _https : _http;

    public bool IsBypassed(Uri host)
    {
        if ((host.Scheme is "https" or "wss" ? _https : _http) is null || host.IsLoopback)
            return true;
        var name = host.IdnHost.Trim('[', ']');
        var address = IPAddress.TryParse(name, out var parsed) ? parsed : null;
        return _bypass.Any(entry => Matches(entry, name, host.Port, address));
    }

    private static bool Matches(string entry, string name, int port, IPAddress? address)
    {
        if (entry == "*")
            return true;
        if (IPNetwork.TryParse(entry, out var network) && entry.Contains('/', StringComparison.Ordinal))
            return address is not null && address.AddressFamily == network.BaseAddress.AddressFamily && network.Contains(address);
        if (IPAddress.TryParse(entry.Trim('[', ']'), out var exact) && (exact.AddressFamily == AddressFamily.InterNetworkV6 || entry.Contains('.', StringComparison.Ordinal)))
            return exact.Equals(address);
        var colon = entry.LastIndexOf(':');
        if (colon > 0 && int.TryParse(entry[(colon + 1)..], out var onlyPort))
        {
            if (onlyPort != port)
                return false;
            entry = entry[..colon];
        }
        entry = entry.TrimStart('*').TrimStart('.');
        return entry.Length > 0 && (name.Equals(entry, StringComparison.OrdinalIgnoreCase)
            || name.EndsWith("." + entry, StringComparison.OrdinalIgnoreCase));
    }

    private static (Uri?, NetworkCredential?) Parse(AwsEnvironment environment, string variable)
    {
        if (environment.LowerThenUpper(variable) is not { } text)
            return (null, null);
        if (!text.Contains("://", StringComparison.Ordinal))
            text = "http://" + text;
        // The text is not shown: it may hold a password.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw new AwsFailure(AwsFailureKind.Configuration, variable.ToUpperInvariant(), null, $"{variable.ToUpperInvariant()} is not an address such as http://proxy:3128");
        var bare = new Uri($"{uri.Scheme}://{uri.Authority}/");
        if (uri.UserInfo.Length == 0)
            return (bare, null);
        var colon = uri.UserInfo.IndexOf(':');
        var user = Uri.UnescapeDataString(colon < 0 ? uri.UserInfo : uri.UserInfo[..colon]);
        var password = colon < 0 ? "" : Uri.UnescapeDataString(uri.UserInfo[(colon + 1)..]);
        return (bare, new NetworkCredential(user, password));
    }
}
