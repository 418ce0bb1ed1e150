using System.Net;
using System.Runtime.CompilerServices;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>
/// Builds and changes stacks through change sets. Nothing is kept here between calls: whoever was killed half-way calls
/// <see cref="SettleAsync"/> and <see cref="ProposeAsync(StackPlan, CancellationToken)"/> again. Source: aws-facts §1, CloudFormation.
/// </summary>
/// <param name="access">Account and region.</param>
/// <param name="time">Clock of the waits.</param>
public sealed class StackDeployment(AwsAccess access, TimeProvider time)
{
    /// <summary>One name for all our change sets: what a killed run left is found and replaced by the next.</summary>
    internal const string ChangeSetName = "fumidai";

    private static readonly TimeSpan ChangeSetPollPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ChangeSetLimit = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Brings a stack to where it can be changed: follows what is under way, takes up a stuck rollback, clears away the empty leftover of a
    /// creation that failed. Yields the events it follows, none when there is nothing to wait for.
    /// </summary>
    /// <exception cref="StackFailure">Usage: the name belongs to a stack that is not ours. Failed: the state allows deletion only, with the reason.</exception>
    public async IAsyncEnumerable<StackEvent> SettleAsync(string name, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Each round ends one operation. Three are the most there can be: an update under way, its rollback stuck, then taken up again.
        var isRollbackTakenUp = false;
        for (var round = 0; round < 4; round++)
        {
            var stack = await ReadStack.FindAsync(access, name, cancellationToken).ConfigureAwait(false);
            if (stack is null)
                yield break;
            Ownership.Check(stack);
            var standing = StackStanding.Of(stack);
            var last = await ReadStackEvents.LatestIdAsync(access, stack.Id, cancellationToken).ConfigureAwait(false);
            var isStarting = true;
            switch (standing.Phase)
            {
                case StackPhase.Busy or StackPhase.Deleting:
                    isStarting = false;
                    break;
                case StackPhase.Leftover:
                    await StackCalls.DeleteAsync(access, stack.Id, [], Token(), cancellationToken).ConfigureAwait(false);
                    break;
                case StackPhase.StuckRollback when !isRollbackTakenUp:
                    isRollbackTakenUp = true;
                    await StackCalls.ContinueRollbackAsync(access, stack.Id, Token(), cancellationToken).ConfigureAwait(false);
                    break;
                case StackPhase.Broken or StackPhase.StuckRollback:
                    throw await ExplainedAsync(stack, cancellationToken).ConfigureAwait(false);
                default:
                    yield break;
            }
            await foreach (var one in new StackFollower(access, time).FollowAsync(stack.Id, last, isStarting, cancellationToken).ConfigureAwait(false))
                yield return one;
        }
    }

    /// <summary>Makes a change set of a plan: for a new stack, or for the one of this name. The bastions' image stays what the stack has.</summary>
    /// <exception cref="StackFailure">Usage: the name is taken by a stack that is not ours. Failed: the stack's state does not allow it (see <see cref="SettleAsync"/>), or CloudFormation finds the template wrong.</exception>
    public async Task<ProposedChanges> ProposeAsync(StackPlan plan, CancellationToken cancellationToken)
    {
        var stack = await ReadStack.FindAsync(access, plan.Name, cancellationToken).ConfigureAwait(false);
        var isCreation = await IsCreationAsync(stack, cancellationToken).ConfigureAwait(false);
        var fixedPlan = plan.Image is not null ? plan : plan.WithImage(await ImageAsync(plan, isCreation ? null : stack, cancellationToken).ConfigureAwait(false));
        return await ProposeAsync(plan.Name, new ChangeSetRequest
        {
            Stack = plan.Name,
            Name = ChangeSetName,
            IsCreation = isCreation,
            Template = fixedPlan.Template,
            Parameters = fixedPlan.Parameters.ToDictionary(p => p.Key, p => (string?)p.Value, StringComparer.Ordinal),
            Tags = fixedPlan.Tags,
            Capabilities = fixedPlan.Capabilities,
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A change of the one address that may use SSH, and of nothing else. The rule for the old one goes with it.</summary>
    /// <exception cref="StackFailure">Usage: the stack has no public bastion. NotFound: no such stack.</exception>
    public Task<ProposedChanges> ProposeAddressAsync(string name, IPAddress address, CancellationToken cancellationToken) =>
        ProposeParameterAsync(name, PlanValues.CallerCidr, $"{address}/32", $"stack {name} has no public bastion, and so no address to change", cancellationToken);

    /// <summary>Switches the deletion protection of the stack's own cluster.</summary>
    /// <exception cref="StackFailure">Usage: the stack has no cluster of its own. NotFound: no such stack.</exception>
    public Task<ProposedChanges> ProposeDeletionProtectionAsync(string name, bool isProtected, CancellationToken cancellationToken) =>
        ProposeParameterAsync(name, "DeletionProtection", isProtected ? "true" : "false", $"stack {name} has no cluster of its own", cancellationToken);

    /// <summary>Executes changes and follows them: each event as it comes, until the stack rests.</summary>
    /// <exception cref="StackFailure">Failed: CloudFormation undid it; the text has the first failed resource's own reason.</exception>
    public async IAsyncEnumerable<StackEvent> ExecuteAsync(ProposedChanges changes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (changes.IsEmpty)
            yield break;
        var last = await ReadStackEvents.LatestIdAsync(access, changes.StackId, cancellationToken).ConfigureAwait(false);
        await ChangeSets.ExecuteAsync(access, changes.ChangeSetId, Token(), cancellationToken).ConfigureAwait(false);
        var follower = new StackFollower(access, time);
        await foreach (var one in follower.FollowAsync(changes.StackId, last, true, cancellationToken).ConfigureAwait(false))
            yield return one;
        if (follower.Stack?.Status is "CREATE_COMPLETE" or "UPDATE_COMPLETE")
            yield break;
        var standing = StackStanding.Of(follower.Stack);
        var why = StackHistory.Why(follower.Events) ?? follower.Stack?.StatusReason ?? $"the stack is {follower.Stack?.Status ?? "gone"}";
        throw new StackFailure(StackHistory.ReasonOf(why), $"stack {changes.Name} was not {(changes.IsCreation ? "built" : "changed")}: {why}",
            StackHistory.Next(why, standing.Next ?? (standing.Phase == StackPhase.Settled ? "It is as it was before" : null)));
    }

    /// <summary>Removes changes that are not wanted; and the empty stack, where they were to create one.</summary>
    public async Task WithdrawAsync(ProposedChanges changes, CancellationToken cancellationToken)
    {
        if (!changes.IsEmpty)
            await ChangeSets.DeleteAsync(access, changes.ChangeSetId, null, cancellationToken).ConfigureAwait(false);
        if (changes.IsCreation)
            await RemoveDraftAsync(changes.StackId, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ProposedChanges> ProposeParameterAsync(string name, string parameter, string value, string absent, CancellationToken cancellationToken)
    {
        var stack = await ReadStack.FindAsync(access, name, cancellationToken).ConfigureAwait(false);
        if (await IsCreationAsync(stack, cancellationToken).ConfigureAwait(false))
            throw new StackFailure(StackFailureReason.NotFound, $"there is no stack {name} in {access.Region}");
        if (!stack!.Parameters.ContainsKey(parameter))
            throw StackFailure.Usage(absent);
        return await ProposeAsync(name, new ChangeSetRequest
        {
            Stack = name,
            Name = ChangeSetName,
            IsCreation = false,
            Parameters = stack.Parameters.Keys.ToDictionary(key => key, key => key == parameter ? value : null, StringComparer.Ordinal),
            Capabilities = ["CAPABILITY_IAM"],
        }, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ProposedChanges> ProposeAsync(string name, ChangeSetRequest request, CancellationToken cancellationToken)
    {
        var (id, stackId) = await CreateAsync(request, cancellationToken).ConfigureAwait(false);
        var proposed = new ProposedChanges { Name = name, ChangeSetId = id, StackId = stackId, IsCreation = request.IsCreation };
        var began = time.GetTimestamp();
        while (true)
        {
            var set = await ChangeSets.DescribeAsync(access, id, cancellationToken).ConfigureAwait(false);
            if (set.Status == "CREATE_COMPLETE" && !set.IsPending)
                return proposed with { Changes = set.Changes };
            if (set.Status == "FAILED")
            {
                await WithdrawAsync(proposed, cancellationToken).ConfigureAwait(false);
                return set.IsEmpty ? proposed with { IsEmpty = true }
                    : throw new StackFailure(StackFailureReason.Failed, $"CloudFormation refuses the change of stack {name}: {StackHistory.Bare(set.StatusReason ?? "no reason was given")}");
            }
            if (time.GetElapsedTime(began) > ChangeSetLimit)
                throw new StackFailure(StackFailureReason.Failed, $"the change set of stack {name} is {set.Status} after {ChangeSetLimit.TotalMinutes:0} minutes", "Try again");
            await Task.Delay(ChangeSetPollPeriod, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One that a killed run left makes room; deleting it takes CloudFormation a moment.</summary>
    private async Task<(string Id, string StackId)> CreateAsync(ChangeSetRequest request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await ChangeSets.CreateAsync(access, request, cancellationToken).ConfigureAwait(false);
            }
            catch (AwsFailure f) when (f.Code == "AlreadyExistsException" && time.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
            {
                await ChangeSets.DeleteAsync(access, request.Name, request.Stack, cancellationToken).ConfigureAwait(false);
                await Task.Delay(ChangeSetPollPeriod, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> IsCreationAsync(CloudFormationStack? stack, CancellationToken cancellationToken)
    {
        if (stack is not null)
            Ownership.Check(stack);
        return StackStanding.Of(stack).Phase switch
        {
            StackPhase.Absent or StackPhase.Draft => true,
            StackPhase.Settled => false,
            _ => throw await ExplainedAsync(stack!, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>The stack's own image, so that only who asks for it gets a newer one, and with it new bastions (aws-facts §2.6).</summary>
    private async Task<string> ImageAsync(StackPlan plan, CloudFormationStack? stack, CancellationToken cancellationToken) =>
        !plan.Options.RenewImage && stack?.Parameters.GetValueOrDefault(PlanValues.Image) is { } image && image.StartsWith("ami-", StringComparison.Ordinal)
            ? image
            : await ReadParameter.GetAsync(access, PlanValues.ImageParameter, cancellationToken).ConfigureAwait(false);

    private async Task RemoveDraftAsync(string stackId, CancellationToken cancellationToken)
    {
        var stack = await ReadStack.FindAsync(access, stackId, cancellationToken).ConfigureAwait(false);
        if (StackStanding.Of(stack).Phase != StackPhase.Draft)
            return;
        var last = await ReadStackEvents.LatestIdAsync(access, stackId, cancellationToken).ConfigureAwait(false);
        await StackCalls.DeleteAsync(access, stackId, [], Token(), cancellationToken).ConfigureAwait(false);
        await foreach (var _ in new StackFollower(access, time).FollowAsync(stackId, last, true, cancellationToken).ConfigureAwait(false))
        {
        }
    }

    private async Task<StackFailure> ExplainedAsync(CloudFormationStack stack, CancellationToken cancellationToken)
    {
        var standing = StackStanding.Of(stack);
        var why = standing.Phase is StackPhase.Busy or StackPhase.Deleting ? null : await StackHistory.WhyAsync(access, stack, cancellationToken).ConfigureAwait(false);
        return new StackFailure(StackHistory.ReasonOf(why ?? ""), $"stack {stack.Name} is {stack.Status}: {standing.Sentence}{(why is null ? "" : $", because of {why}")}", StackHistory.Next(why ?? "", standing.Next));
    }

    private static string Token() => "fumidai-" + Guid.NewGuid().ToString("N");
}
