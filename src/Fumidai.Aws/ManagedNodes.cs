using System.Net;
using Amazon.Runtime;
using Amazon.SimpleSystemsManagement.Model;

namespace Fumidai.Aws;

/// <summary>What Session Manager says of one node.</summary>
internal sealed record ManagedNode(string? PingStatus, string? AgentVersion);

/// <summary>Which of these instances does Session Manager know? DescribeInstanceInformation; one that never registered is absent from its answer.</summary>
internal static class ManagedNodes
{
    private const int PageSize = 50;

    /// <param name="access">Account and region.</param>
    /// <param name="instanceIds">Instances to ask about.</param>
    /// <param name="isOptional">Whether an answer may be missing: not allowed, or an emulator without this operation.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<Dictionary<string, ManagedNode>> AskAsync(AwsAccess access, IReadOnlyList<string> instanceIds, bool isOptional, CancellationToken cancellationToken)
    {
        var nodes = new Dictionary<string, ManagedNode>(StringComparer.Ordinal);
        // A filter takes 100 ids at most; for more, all of the region's are paged through.
        var request = new DescribeInstanceInformationRequest { MaxResults = PageSize };
        if (instanceIds.Count <= PageSize)
            request.Filters = [new InstanceInformationStringFilter { Key = "InstanceIds", Values = [.. instanceIds] }];
        try
        {
            do
            {
                var page = await access.AskAsync(AwsService.Ssm, "DescribeInstanceInformation", stop => access.Ssm.DescribeInstanceInformationAsync(request, stop), cancellationToken).ConfigureAwait(false);
                foreach (var node in page.InstanceInformationList ?? [])
                    nodes[node.InstanceId] = new ManagedNode(node.PingStatus?.Value, node.AgentVersion);
                request.NextToken = page.NextToken;
            }
            while (!string.IsNullOrEmpty(request.NextToken));
        }
        catch (AwsFailure f) when (isOptional && IsNoAnswer(f))
        {
            nodes.Clear();
        }
        return nodes;
    }

    private static bool IsNoAnswer(AwsFailure failure) => failure.Kind == AwsFailureKind.Permission
        || failure.Code is "UnknownOperationException" or "InvalidAction" or "NotImplemented"
        // moto's way of not having an operation: 500 and a web page.
        || failure is { Kind: AwsFailureKind.Network, Code: null, InnerException: AmazonServiceException { StatusCode: HttpStatusCode.InternalServerError } };
}
