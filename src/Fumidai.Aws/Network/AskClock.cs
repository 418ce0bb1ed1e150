namespace Fumidai.Aws;

/// <summary>How far is this machine's clock off? The Date header of an answer of the region's STS.</summary>
public static class AskClock
{
    /// <summary>AWS's time less ours; null: the answer had no date. Precise to a second or two.</summary>
    /// <exception cref="AwsFailure">Network: no answer.</exception>
    public static async Task<TimeSpan?> OffsetAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        var service = access.UrlOf(AwsService.Sts);
        using var limit = new CancellationTokenSource(AskOwnAddress.Limit, access.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var answer = await access.Http.GetAsync(service, HttpCompletionOption.ResponseHeadersRead, stop.Token).ConfigureAwait(false);
            return answer.Headers.Date is { } date ? date - access.Time.GetUtcNow() : null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failures.From(e, "asking STS for the time", service.Authority, access.Time.GetUtcNow());
        }
    }
}
