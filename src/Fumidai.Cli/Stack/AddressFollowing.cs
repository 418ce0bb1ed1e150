using System.Net;
using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>Lets our address in where it has changed since <c>fumidai up</c>: before an ssh route, and only through a bastion of a stack of ours.</summary>
internal sealed class AddressFollowing(Run run, AwsAccess access)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<bool>> _asked = new(StringComparer.Ordinal);

    /// <summary>Changes the one rule, once for all tunnels of this run.</summary>
    /// <returns>Whether the bastion lets us in now. Why it does not is told.</returns>
    internal ValueTask<bool> AdmitAsync(BastionInstance bastion, IPAddress own, CancellationToken cancellationToken)
    {
        // The rule is an IPv4 one, and whose instance it is says its tag; the stack itself is asked again below.
        if (own.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork || bastion.Tags.GetValueOrDefault(StackPlan.OwnerTag) is not { Length: > 0 } stack)
            return ValueTask.FromResult(false);
        lock (_gate)
        {
            if (!_asked.TryGetValue(stack, out var asked))
                _asked[stack] = asked = ChangeAsync(stack, bastion, own, cancellationToken);
            return new ValueTask<bool>(asked.WaitAsync(cancellationToken));
        }
    }

    private async Task<bool> ChangeAsync(string stack, BastionInstance bastion, IPAddress own, CancellationToken cancellationToken)
    {
        var screen = run.Screen;
        try
        {
            var status = await StackStatus.ReadAsync(access, stack, cancellationToken);
            // A tag can be put on any instance; the rule is ours only where the instance is the stack's.
            if (status.PublicBastionId != bastion.Id)
                return false;
            var deployment = new StackDeployment(access, run.Surroundings.Time);
            await new StackProgress(screen, $"Waiting for stack {stack}", null).FollowAsync(deployment.SettleAsync(stack, cancellationToken));
            screen.Waiting($"Your address has changed: letting {own} in");
            var changes = await deployment.ProposeAddressAsync(stack, own, cancellationToken);
            if (changes.IsEmpty)
                return false;
            await new StackProgress(screen, $"Letting {own} in", changes.Changes.Count).FollowAsync(deployment.ExecuteAsync(changes, cancellationToken));
            screen.Report(new TunnelEvent("address", $"Your address has changed: stack {stack} admits {own} now, and {status.CallerCidr} no more.",
                new Dictionary<string, string>(StringComparer.Ordinal) { ["stack"] = stack, ["address"] = own.ToString(), ["before"] = status.CallerCidr ?? "" }));
            return true;
        }
        catch (Exception e) when (e is AwsFailure or StackFailure)
        {
            screen.Note($"Your address has changed, and stack {stack} could not be told: {e.Message}");
            return false;
        }
        finally
        {
            screen.Waiting(null);
        }
    }
}
