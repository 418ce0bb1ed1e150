using System.Globalization;

namespace Fumidai.Aws;

/// <summary>DeleteStack and ContinueUpdateRollback: both only start something, whose progress the events tell.</summary>
public static class StackCalls
{
    /// <summary>Starts deletion; a stack that is not there is no failure.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="nameOrId">Name or ARN.</param>
    /// <param name="retain">Logical ids to leave in place; allowed only when the stack is in DELETE_FAILED.</param>
    /// <param name="token">Makes a repeated call harmless.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <exception cref="AwsFailure">Refused: the stack is protected against termination, or busy.</exception>
    public static Task DeleteAsync(AwsAccess access, string nameOrId, IReadOnlyList<string> retain, string token, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> form = [new("StackName", nameOrId), new("ClientRequestToken", token)];
        form.AddRange(retain.Select((id, i) => KeyValuePair.Create("RetainResources.member." + (i + 1).ToString(CultureInfo.InvariantCulture), id)));
        return access.AskAsync(AwsService.CloudFormation, "DeleteStack", stop => access.CloudFormation.QueryAsync("DeleteStack", form, stop), cancellationToken);
    }

    /// <summary>Takes up a rollback that failed, once its cause is removed.</summary>
    /// <exception cref="AwsFailure">Refused: the stack is not in UPDATE_ROLLBACK_FAILED.</exception>
    public static Task ContinueRollbackAsync(AwsAccess access, string nameOrId, string token, CancellationToken cancellationToken) => access.AskAsync(AwsService.CloudFormation, "ContinueUpdateRollback",
        stop => access.CloudFormation.QueryAsync("ContinueUpdateRollback", [new("StackName", nameOrId), new("ClientRequestToken", token)], stop), cancellationToken);
}
