using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>Admits our present address to a stack's public bastion, and nobody's former one.</summary>
internal sealed class AddressUpdate(StackRun stack)
{
    /// <param name="name">Stack.</param>
    /// <param name="onlyShow">Whether nothing is changed.</param>
    internal async Task<int> RunAsync(string name, bool onlyShow)
    {
        var screen = stack.Screen;
        var address = await stack.OwnAddressAsync();
        var deployment = new StackDeployment(stack.Access, stack.Time);
        if (!onlyShow)
            await new StackProgress(screen, $"Waiting for stack {name}", null).FollowAsync(deployment.SettleAsync(name, stack.Token));
        screen.Waiting("Making a change set");
        var changes = await deployment.ProposeAddressAsync(name, address, stack.Token);
        if (changes.IsEmpty)
        {
            Tell(name, address, $"Stack {name} admits {address} already.");
            return ExitCodes.Success;
        }
        if (onlyShow)
        {
            await stack.WithdrawAsync(deployment, changes);
            Tell(name, address, $"Stack {name} would admit {address} instead of the address before.");
            return ExitCodes.Success;
        }
        await new StackProgress(screen, $"Changing {name}", changes.Changes.Count).FollowAsync(deployment.ExecuteAsync(changes, stack.Token));
        Tell(name, address, $"Stack {name} admits {address}, and the address before no more.");
        return ExitCodes.Success;
    }

    private void Tell(string name, System.Net.IPAddress address, string text)
    {
        stack.Screen.Waiting(null);
        stack.Screen.Report(new TunnelEvent("address", text, new Dictionary<string, string>(StringComparer.Ordinal) { ["stack"] = name, ["address"] = address.ToString() }));
    }
}
