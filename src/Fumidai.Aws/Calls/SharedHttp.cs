using System.Net;
using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;

namespace Fumidai.Aws;

/// <summary>The one connection pool of an <see cref="AwsAccess"/>, with its proxy and roots; the SDK's clients are given it.</summary>
internal sealed class SharedHttp : HttpClientFactory, IDisposable
{
    public const string UserAgent = "fumidai";

    /// <summary>How long a connection may take to open: three attempts stay under half a minute.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(8);

    /// <summary>How long an answer may take, as in the AWS CLI.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    public SharedHttp(IWebProxy? proxy, X509Certificate2Collection? roots)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = proxy is not null,
            Proxy = proxy,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        };
        if (roots is not null)
            handler.SslOptions.CertificateChainPolicy = Trusting(roots);
        Client = new HttpClient(new RefusingWebPages(handler)) { Timeout = AnswerTimeout };
    }

    public HttpClient Client { get; }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => Client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => Client.Dispose();

    /// <summary>These roots and no others; revocation is not asked, as the AWS CLI does not.</summary>
    private static X509ChainPolicy Trusting(X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(roots);
        policy.ExtraStore.AddRange(roots);
        return policy;
    }
}

/// <summary>A web page with the status of success or refusal: some answers of AWS would be read from it as empty lists.</summary>
internal sealed class WebPageException(HttpStatusCode status) : Exception($"HTTP {(int)status} with a web page")
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>
/// Lets no web page reach the SDK. Those of failing servers (5xx) pass, to be tried again. The body decides: emulators send JSON as text/html.
/// </summary>
internal sealed class RefusingWebPages(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public static bool IsWebPage(string text) =>
        text.Contains("<html", StringComparison.OrdinalIgnoreCase) || text.TrimStart().StartsWith("<!DOCTYPE html", StringComparison.OrdinalIgnoreCase);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (answer.Content.Headers.ContentType?.MediaType != "text/html" || (int)answer.StatusCode >= 500)
            return answer;
        // The content is kept by the first reading, so the SDK can read it again.
        if (!IsWebPage(await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)))
            return answer;
        answer.Dispose();
        throw new WebPageException(answer.StatusCode);
    }
}
