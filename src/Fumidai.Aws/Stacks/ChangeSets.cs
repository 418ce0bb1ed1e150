using System.Globalization;
using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>What a change set is made of.</summary>
public sealed record ChangeSetRequest
{
    /// <summary>Stack's name, or id.</summary>
    public required string Stack { get; init; }
    /// <summary>Change set's name.</summary>
    public required string Name { get; init; }
    /// <summary>Whether the stack is to be created (it may exist as REVIEW_IN_PROGRESS); otherwise it is updated.</summary>
    public required bool IsCreation { get; init; }
    /// <summary>Template, 51,200 bytes at most; null: the stack's present one.</summary>
    public string? Template { get; init; }
    /// <summary>Parameter values; a null value keeps the present one.</summary>
    public IReadOnlyDictionary<string, string?> Parameters { get; init; } = new Dictionary<string, string?>();
    /// <summary>Tags of the stack, which CloudFormation hands on to its resources; null keeps the present ones.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; }
    /// <summary>E.g. <c>CAPABILITY_IAM</c>.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    /// <summary>For the stack's history.</summary>
    public string? Description { get; init; }
}

/// <summary>CreateChangeSet, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet.</summary>
public static class ChangeSets
{
    /// <summary>Asks for a change set. For a new stack this at once makes an empty one in REVIEW_IN_PROGRESS.</summary>
    /// <returns>ARNs of change set and stack.</returns>
    /// <exception cref="AwsFailure">Refused with code AlreadyExistsException when the name is taken, InsufficientCapabilitiesException, LimitExceededException, ValidationError.</exception>
    public static async Task<(string Id, string StackId)> CreateAsync(AwsAccess access, ChangeSetRequest request, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> form =
        [
            new("StackName", request.Stack),
            new("ChangeSetName", request.Name),
            new("ChangeSetType", request.IsCreation ? "CREATE" : "UPDATE"),
            request.Template is { } template ? new("TemplateBody", template) : new("UsePreviousTemplate", "true"),
        ];
        if (request.Description is not null)
            form.Add(new("Description", request.Description));
        form.AddRange(request.Capabilities.Select((capability, i) => KeyValuePair.Create($"Capabilities.member.{Number(i)}", capability)));
        foreach (var (i, (key, value)) in request.Parameters.Index())
        {
            form.Add(new($"Parameters.member.{Number(i)}.ParameterKey", key));
            form.Add(value is null ? new($"Parameters.member.{Number(i)}.UsePreviousValue", "true") : new($"Parameters.member.{Number(i)}.ParameterValue", value));
        }
        foreach (var (i, (key, value)) in (request.Tags ?? new Dictionary<string, string>()).Index())
        {
            form.Add(new($"Tags.member.{Number(i)}.Key", key));
            form.Add(new($"Tags.member.{Number(i)}.Value", value));
        }
        var answer = await access.AskAsync(AwsService.CloudFormation, "CreateChangeSet", stop => access.CloudFormation.QueryAsync("CreateChangeSet", form, stop), cancellationToken).ConfigureAwait(false);
        return (answer.Text("Id") ?? "", answer.Text("StackId") ?? "");
    }

    /// <summary>State and changes of a change set.</summary>
    /// <exception cref="AwsFailure">NotFound: it was deleted, or another one of its stack was executed.</exception>
    public static async Task<ChangeSet> DescribeAsync(AwsAccess access, string changeSetId, CancellationToken cancellationToken)
    {
        var changes = new List<ResourceChange>();
        string? token = null;
        while (true)
        {
            KeyValuePair<string, string>[] form = token is null ? [new("ChangeSetName", changeSetId)] : [new("ChangeSetName", changeSetId), new("NextToken", token)];
            var answer = await access.AskAsync(AwsService.CloudFormation, "DescribeChangeSet", stop => access.CloudFormation.QueryAsync("DescribeChangeSet", form, stop), cancellationToken).ConfigureAwait(false);
            changes.AddRange(answer.Children("Changes", "member").Select(c => c.Child("ResourceChange")).OfType<XElement>().Select(Change));
            var next = answer.Text("NextToken");
            if (next is not null && next != token)
            {
                token = next;
                continue;
            }
            return new ChangeSet
            {
                Id = answer.Text("ChangeSetId") ?? changeSetId,
                StackId = answer.Text("StackId") ?? "",
                Status = answer.Text("Status") ?? "",
                StatusReason = answer.Text("StatusReason"),
                ExecutionStatus = answer.Text("ExecutionStatus"),
                Changes = changes,
            };
        }
    }

    /// <summary>Starts it. All other change sets of the stack go.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="changeSetId">ARN.</param>
    /// <param name="token">Marks the events of this operation, and makes a repeated call harmless.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <exception cref="AwsFailure">Refused with code InvalidChangeSetStatus; NotFound.</exception>
    public static Task ExecuteAsync(AwsAccess access, string changeSetId, string token, CancellationToken cancellationToken) => access.AskAsync(AwsService.CloudFormation, "ExecuteChangeSet",
        stop => access.CloudFormation.QueryAsync("ExecuteChangeSet", [new("ChangeSetName", changeSetId), new("ClientRequestToken", token)], stop), cancellationToken);

    /// <summary>Removes it; one that is not there is no failure. The empty stack of a first change set stays.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="changeSet">ARN, or a name together with <paramref name="stack"/>.</param>
    /// <param name="stack">Stack's name, where the change set is not given by ARN.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task DeleteAsync(AwsAccess access, string changeSet, string? stack, CancellationToken cancellationToken)
    {
        KeyValuePair<string, string>[] form = stack is null ? [new("ChangeSetName", changeSet)] : [new("ChangeSetName", changeSet), new("StackName", stack)];
        try
        {
            await access.AskAsync(AwsService.CloudFormation, "DeleteChangeSet", stop => access.CloudFormation.QueryAsync("DeleteChangeSet", form, stop), cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.NotFound || ReadStack.IsNoStack(f))
        {
        }
    }

    private static ResourceChange Change(XElement change) => new(change.Text("Action") ?? "", change.Text("LogicalResourceId") ?? "", change.Text("PhysicalResourceId"),
        change.Text("ResourceType") ?? "", change.Text("Replacement"));

    private static string Number(int index) => (index + 1).ToString(CultureInfo.InvariantCulture);
}
