using System.Runtime.CompilerServices;
using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>Follows an operation of CloudFormation to its end. The operation does not depend on who follows.</summary>
internal sealed class StackFollower(AwsAccess access, TimeProvider time)
{
    /// <summary>How often a stack is looked at; AWS throttles who asks more often (aws-facts §8.2 row 66).</summary>
    public static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(5);

    /// <summary>How long an operation may take to show its first event.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    /// <summary>Look-ups in a row that may fail by network or throttling: a minute and more, with the SDK's own tries.</summary>
    private const int Patience = 12;

    private readonly List<StackEvent> _events = [];

    /// <summary>The stack as last seen; null: gone.</summary>
    public CloudFormationStack? Stack { get; private set; }

    /// <summary>Every event seen.</summary>
    public IReadOnlyList<StackEvent> Events => _events;

    /// <summary>Events of the operation as they come, until the stack rests.</summary>
    /// <param name="stackId">ARN.</param>
    /// <param name="afterId">Last event before the operation; null: all of the stack's.</param>
    /// <param name="isStarting">Whether the operation was asked for just now: rest counts only after its first event.</param>
    /// <param name="cancellationToken">Stops following.</param>
    public async IAsyncEnumerable<StackEvent> FollowAsync(string stackId, string? afterId, bool isStarting, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (last, failures) = (afterId, 0);
        var began = time.GetTimestamp();
        while (true)
        {
            IReadOnlyList<StackEvent> fresh = [];
            var isRead = false;
            try
            {
                // State first: an event that comes between the two is then seen with this round or the next, never lost.
                Stack = await ReadStack.FindAsync(access, stackId, cancellationToken).ConfigureAwait(false);
                fresh = Stack is null ? [] : await ReadStackEvents.AfterAsync(access, stackId, last, cancellationToken).ConfigureAwait(false);
                (isRead, failures) = (true, 0);
            }
            catch (AwsFailure f) when (f.Kind is AwsFailureKind.Network or AwsFailureKind.Throttled && ++failures < Patience)
            {
            }
            foreach (var one in fresh)
            {
                last = one.Id;
                _events.Add(one);
                yield return one;
            }
            // Late events of what went before do not count.
            var isBegun = !isStarting || _events.Exists(e => e.IsStack && e.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal)) || Stack is null || time.GetElapsedTime(began) > StartLimit;
            if (isRead && isBegun && StackStanding.Of(Stack).Phase is not (StackPhase.Busy or StackPhase.Deleting))
                yield break;
            await Task.Delay(PollPeriod, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
