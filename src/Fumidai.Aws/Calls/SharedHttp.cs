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
