namespace Fumidai.Aws;

/// <summary>A resource of a stack.</summary>
/// <param name="LogicalId">Name in the template.</param>
/// <param name="PhysicalId">Id, name or ARN of what exists; null: nothing yet.</param>
/// <param name="Type">E.g. <c>AWS::EC2::VPC</c>.</param>
/// <param name="Status">E.g. <c>CREATE_COMPLETE</c>.</param>
/// <param name="Reason">CloudFormation's or the service's words about the status.</param>
public sealed record StackResource(string LogicalId, string? PhysicalId, string Type, string Status, string? Reason);

/// <summary>What does this stack consist of? ListStackResources.</summary>
public static class ReadStackResources
{
    /// <summary>Every resource, those deleted already included, with their status.</summary>
    /// <exception cref="AwsFailure">Refused: there is no such stack.</exception>
    public static async Task<IReadOnlyList<StackResource>> ListAsync(AwsAccess access, string nameOrId, CancellationToken cancellationToken)
    {
        var all = await StackPages.ReadAsync(access, "ListStackResources", "StackResourceSummaries", [new("StackName", nameOrId)], cancellationToken).ConfigureAwait(false);
        return [.. all.Where(r => r.Text("LogicalResourceId") is not null).Select(r => new StackResource(r.Text("LogicalResourceId")!, r.Text("PhysicalResourceId"),
            r.Text("ResourceType") ?? "", r.Text("ResourceStatus") ?? "", r.Text("ResourceStatusReason") is { } reason ? Failures.OneLine(reason) : null))];
    }
}
