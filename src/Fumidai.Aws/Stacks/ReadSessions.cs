using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;

namespace Fumidai.Aws;

/// <summary>A Session Manager session that is open.</summary>
/// <param name="Id">Session id.</param>
/// <param name="Target">Instance.</param>
/// <param name="Owner">ARN of whoever started it.</param>
/// <param name="Started">When, if told.</param>
/// <param name="Document">Session document, if told.</param>
public sealed record OpenSession(string Id, string Target, string Owner, DateTimeOffset? Started, string? Document);

/// <summary>Who is connected? DescribeSessions, state Active.</summary>
public static class ReadSessions
{
    /// <summary>Open sessions on an instance.</summary>
    public static async Task<IReadOnlyList<OpenSession>> OnAsync(AwsAccess access, string instanceId, CancellationToken cancellationToken)
    {
        var found = new List<OpenSession>();
        var request = new DescribeSessionsRequest { State = SessionState.Active, Filters = [new() { Key = SessionFilterKey.Target, Value = instanceId }] };
        do
        {
            var page = await access.AskAsync(AwsService.Ssm, "DescribeSessions", stop => access.Ssm.DescribeSessionsAsync(request, stop), cancellationToken).ConfigureAwait(false);
            found.AddRange((page.Sessions ?? []).Select(s => new OpenSession(s.SessionId, s.Target ?? instanceId, s.Owner ?? "",
                s.StartDate is { } start ? new DateTimeOffset(DateTime.SpecifyKind(start.ToUniversalTime(), DateTimeKind.Utc)) : null, s.DocumentName)));
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        return found;
    }
}
