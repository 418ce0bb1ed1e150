using System.Net;

namespace Fumidai.Aws;

/// <summary>What is our address, seen from outside?</summary>
public static class AskOwnAddress
{
    /// <summary>How long the answer may take.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private const int LongestAnswer = 1024;

    /// <summary>GETs the address service, with the proxy and roots of the access but no signature, and reads one IP address. Five seconds at most.</summary>
    /// <exception cref="AwsFailure">Network: no answer, or one that is no address.</exception>
    public static async Task<IPAddress> AskAsync(AwsAccess access, Uri service, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, access.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        string text;
        try
        {
            using var answer = await access.Http.GetAsync(service, HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
                throw Failed(service, $"answered HTTP {(int)answer.StatusCode}");
            var body = await answer.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
            var buffer = new byte[LongestAnswer];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop.Token).ConfigureAwait(false);
            text = System.Text.Encoding.UTF8.GetString(buffer, 0, length).Trim();
        }
        catch (Exception e) when (e is not AwsFailure && !cancellationToken.IsCancellationRequested)
        {
            throw Failures.From(e, $"asking {service.Host} for our address", service.Authority, access.Time.GetUtcNow());
        }
        return IPAddress.TryParse(text, out var address) ? address : throw Failed(service, "gave an answer that is no IP address");
    }

    private static AwsFailure Failed(Uri service, string what) =>
        new(AwsFailureKind.Network, $"asking {service.Host} for our address", null, $"asking {service.Host} for our address: it {what}");
}
