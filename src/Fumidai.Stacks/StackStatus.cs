using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>A stack of ours as it is now.</summary>
public sealed record StackStatus
{
    /// <summary>The stack, with its outputs.</summary>
    public required CloudFormationStack Stack { get; init; }
    /// <summary>Its state in words.</summary>
    public required StackStanding Standing { get; init; }
    /// <summary>Why its last operation failed; null: it did not.</summary>
    public string? Why { get; init; }
    /// <summary>Every resource.</summary>
    public required IReadOnlyList<StackResource> Resources { get; init; }
    /// <summary>Instance id of the private bastion, if any.</summary>
    public string? PrivateBastionId => Physical("PrivateBastion");
    /// <summary>Instance id of the public bastion, if any.</summary>
    public string? PublicBastionId => Physical("PublicBastion");
    /// <summary>The cluster this stack has or leads to, if any.</summary>
    public string? ClusterId => Stack.Outputs.GetValueOrDefault("ClusterId") ?? Physical("Cluster");
    /// <summary>Where the stack's own cluster listens, as HOST:PORT, if it has one.</summary>
    public string? ClusterEndpoint => Stack.Outputs.GetValueOrDefault("ClusterEndpoint") is { } host ? $"{host}:{Stack.Outputs.GetValueOrDefault("ClusterPort")}" : null;
    /// <summary>Secret with the master user and password of the stack's own cluster, if it has one.</summary>
    public string? SecretArn => Stack.Outputs.GetValueOrDefault("SecretArn");
    /// <summary>The one address that may use SSH, as a /32; null: no public bastion.</summary>
    public string? CallerCidr => Stack.Parameters.GetValueOrDefault(PlanValues.CallerCidr);

    /// <summary>Reads a stack.</summary>
    /// <exception cref="StackFailure">NotFound: there is none. Usage: it is not ours.</exception>
    public static async Task<StackStatus> ReadAsync(AwsAccess access, string nameOrId, CancellationToken cancellationToken)
    {
        var stack = await ReadStack.FindAsync(access, nameOrId, cancellationToken).ConfigureAwait(false);
        var standing = StackStanding.Of(stack);
        if (stack is null || standing.Phase == StackPhase.Absent)
            throw new StackFailure(StackFailureReason.NotFound, $"there is no stack {nameOrId} in {access.Region}", "See fumidai status");
        Ownership.Check(stack);
        var failed = stack.Status.Contains("ROLLBACK", StringComparison.Ordinal) || stack.Status.EndsWith("_FAILED", StringComparison.Ordinal);
        return new StackStatus
        {
            Stack = stack,
            Standing = standing,
            Why = failed ? await StackHistory.WhyAsync(access, stack, cancellationToken).ConfigureAwait(false) : null,
            Resources = [.. (await ReadStackResources.ListAsync(access, stack.Id, cancellationToken).ConfigureAwait(false)).Where(r => r.Status != "DELETE_COMPLETE")],
        };
    }

    /// <summary>Every stack of ours in the region.</summary>
    public static Task<IReadOnlyList<CloudFormationStack>> ListAsync(AwsAccess access, CancellationToken cancellationToken) =>
        ReadStack.WithTagAsync(access, StackPlan.OwnerTag, cancellationToken);

    /// <summary>What no longer is as the template says; takes some seconds to a minute.</summary>
    public Task<IReadOnlyList<DriftedResource>> DriftAsync(AwsAccess access, CancellationToken cancellationToken) => DetectDrift.AskAsync(access, Stack.Id, cancellationToken);

    private string? Physical(string logicalId) => Resources.FirstOrDefault(r => r.LogicalId == logicalId)?.PhysicalId;
}
