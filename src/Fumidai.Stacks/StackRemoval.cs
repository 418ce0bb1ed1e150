using System.Runtime.CompilerServices;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>What taking a stack down removes and leaves.</summary>
public sealed record RemovalList
{
    /// <summary>The stack.</summary>
    public required CloudFormationStack Stack { get; init; }
    /// <summary>Resources that go.</summary>
    public required IReadOnlyList<StackResource> Goes { get; init; }
    /// <summary>What stays, and why, in sentences.</summary>
    public required IReadOnlyList<string> Stays { get; init; }
    /// <summary>What forbids it, with what to do, in sentences; none: nothing does.</summary>
    public required IReadOnlyList<string> Obstacles { get; init; }
}

/// <summary>What carries our tag after a stack is gone.</summary>
/// <param name="Remains">ARNs that should not be there any more.</param>
/// <param name="Stays">ARNs of snapshots, which stay on purpose.</param>
/// <param name="Unchecked">Why this could not be looked at; null: it was.</param>
public sealed record RemovalCheck(IReadOnlyList<string> Remains, IReadOnlyList<string> Stays, string? Unchecked = null);

/// <summary>Takes a stack down, and looks afterwards whether anything is left. What fumidai did not create is never deleted.</summary>
/// <param name="access">Account and region.</param>
/// <param name="time">Clock of the waits.</param>
public sealed class StackRemoval(AwsAccess access, TimeProvider time)
{
    private static readonly TimeSpan CheckPeriod = TimeSpan.FromSeconds(10);

    /// <summary>How long the tags' index may name what is gone.</summary>
    private static readonly TimeSpan CheckLimit = TimeSpan.FromMinutes(2);

    /// <summary>What would go, what would stay, what is in the way.</summary>
    /// <exception cref="StackFailure">NotFound: no such stack. Usage: it is not ours.</exception>
    public async Task<RemovalList> ListAsync(string nameOrId, CancellationToken cancellationToken)
    {
        var stack = await ReadStack.FindAsync(access, nameOrId, cancellationToken).ConfigureAwait(false);
        if (stack is null || StackStanding.Of(stack).Phase == StackPhase.Absent)
            throw new StackFailure(StackFailureReason.NotFound, $"there is no stack {nameOrId} in {access.Region}");
        Ownership.Check(stack);
        var resources = await ReadStackResources.ListAsync(access, stack.Id, cancellationToken).ConfigureAwait(false);
        var goes = resources.Where(r => r.Status != "DELETE_COMPLETE" && r.PhysicalId is not null).ToList();
        return new RemovalList
        {
            Stack = stack,
            Goes = goes,
            Stays = goes.Exists(r => r.Type == "AWS::RDS::DBCluster") ? await StaysAsync(stack, cancellationToken).ConfigureAwait(false) : [],
            Obstacles = [.. Obstacles(stack, goes)],
        };
    }

    /// <summary>Deletes and follows it: each event as it comes, until the stack is gone. A deletion under way is followed; an update is waited for first.</summary>
    /// <param name="stackId">ARN, as in <see cref="RemovalList.Stack"/>: it answers after the stack is gone.</param>
    /// <param name="retain">Logical ids to leave in place, allowed only after a deletion that failed.</param>
    /// <param name="cancellationToken">Stops following; the deletion goes on.</param>
    /// <exception cref="StackFailure">Failed: something could not be deleted; the text has its own reason.</exception>
    public async IAsyncEnumerable<StackEvent> DeleteAsync(string stackId, IReadOnlyList<string> retain, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stack = await ReadStack.FindAsync(access, stackId, cancellationToken).ConfigureAwait(false);
        if (StackStanding.Of(stack).Phase == StackPhase.Absent)
            yield break;
        Ownership.Check(stack!);
        var last = await ReadStackEvents.LatestIdAsync(access, stackId, cancellationToken).ConfigureAwait(false);
        // CloudFormation breaks a creation off for a deletion, but not an update.
        if (StackStanding.Of(stack).Phase == StackPhase.Busy && stack!.Status != "CREATE_IN_PROGRESS")
        {
            await foreach (var one in new StackFollower(access, time).FollowAsync(stackId, last, false, cancellationToken).ConfigureAwait(false))
            {
                last = one.Id;
                yield return one;
            }
        }
        var isUnderWay = StackStanding.Of(stack).Phase == StackPhase.Deleting;
        if (!isUnderWay)
            await StackCalls.DeleteAsync(access, stackId, retain, "fumidai-" + Guid.NewGuid().ToString("N"), cancellationToken).ConfigureAwait(false);
        var follower = new StackFollower(access, time);
        await foreach (var one in follower.FollowAsync(stackId, last, !isUnderWay, cancellationToken).ConfigureAwait(false))
            yield return one;
        if (StackStanding.Of(follower.Stack).Phase == StackPhase.Absent)
            yield break;
        var why = StackHistory.Why(follower.Events) ?? await StackHistory.WhyAsync(access, follower.Stack!, cancellationToken).ConfigureAwait(false) ?? follower.Stack!.StatusReason ?? "no reason was given";
        throw new StackFailure(StackHistory.ReasonOf(why), $"stack {follower.Stack!.Name} is {follower.Stack.Status}: {why}", StackHistory.Next(why, StackStanding.Of(follower.Stack).Next));
    }

    /// <summary>What still carries the tag of this stack. The tags' index lags, so up to two minutes are given it, and what it names is asked after one by one.</summary>
    public async Task<RemovalCheck> VerifyAsync(string name, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            IReadOnlyList<string> living;
            try
            {
                var tagged = await FindTagged.ListAsync(access, StackPlan.OwnerTag, name, cancellationToken).ConfigureAwait(false);
                living = await FindLiving.AmongAsync(access, tagged, cancellationToken).ConfigureAwait(false);
            }
            catch (AwsFailure f) when (f.Kind is AwsFailureKind.Permission or AwsFailureKind.Network)
            {
                return new RemovalCheck([], [], f.Message);
            }
            var stays = living.Where(IsSnapshot).ToList();
            if (living.Count == stays.Count || time.GetElapsedTime(began) > CheckLimit)
                return new RemovalCheck([.. living.Except(stays)], stays);
            await Task.Delay(CheckPeriod, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsSnapshot(string arn) => arn.Contains(":cluster-snapshot:", StringComparison.Ordinal) || arn.Contains(":snapshot:", StringComparison.Ordinal);

    private async Task<IReadOnlyList<string>> StaysAsync(CloudFormationStack stack, CancellationToken cancellationToken)
    {
        var template = await ReadStack.TemplateAsync(access, stack.Id, cancellationToken).ConfigureAwait(false);
        return template.Contains("DeletionPolicy: Snapshot", StringComparison.Ordinal)
            ? ["One final snapshot of the cluster, billed by its size until you delete it."]
            : [];
    }

    private static IEnumerable<string> Obstacles(CloudFormationStack stack, List<StackResource> goes)
    {
        if (stack.IsTerminationProtected)
            yield return $"Stack {stack.Name} is protected against termination: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {stack.Name}";
        if (stack.Parameters.GetValueOrDefault("DeletionProtection") == "true" && goes.Exists(r => r.Type == "AWS::RDS::DBCluster"))
            yield return $"The cluster of {stack.Name} is protected against deletion: switch that off first.";
    }
}
