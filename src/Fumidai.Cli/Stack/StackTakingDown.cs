using System.Globalization;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>The course of <c>fumidai down</c>. Nothing is remembered between runs: whoever was interrupted runs it again.</summary>
internal sealed class StackTakingDown(StackRun stack, string name, bool isAgreed)
{
    private readonly Screen _screen = stack.Screen;
    private readonly StackRemoval _removal = new(stack.Access, stack.Time);

    internal async Task<int> RunAsync()
    {
        _screen.Waiting($"Looking for stack {name} in {stack.Region}");
        RemovalList list;
        try
        {
            list = await _removal.ListAsync(name, stack.Token);
        }
        catch (StackFailure f) when (f.Reason == StackFailureReason.NotFound)
        {
            return await FinishAsync(wasThere: false, []);
        }
        _screen.Waiting(null);
        Tell(list);
        if (list.Obstacles.Count > 0)
            throw new StackFailure(StackFailureReason.Failed, list.Obstacles[0].TrimEnd('.'), list.Obstacles[0].Contains("protected against deletion", StringComparison.Ordinal) ? $"fumidai up --name {name} --deletion-protection off does that" : null);
        await AgreeAsync();
        await FollowAsync(list);
        return await FinishAsync(wasThere: true, list.Stays);
    }

    private void Tell(RemovalList list)
    {
        if (_screen.Mode.Json)
        {
            _screen.Report(new TunnelEvent("plan", $"Stack {name} goes, with {list.Goes.Count} resources", Of(
                ("stack", name), ("region", stack.Region), ("goes", string.Join(" ", list.Goes.Select(r => r.LogicalId))), ("stays", string.Join(" ", list.Stays)))));
            return;
        }
        _screen.Notes(
        [
            $"Stack {name} in {stack.Region}",
            "  Goes",
            .. list.Goes.Select(r => $"    {r.LogicalId}  {r.Type}  {r.PhysicalId}"),
            .. list.Goes.Count == 0 ? ["    nothing but the empty stack"] : Array.Empty<string>(),
            "  Stays",
            .. list.Stays.Count == 0 ? ["    nothing"] : list.Stays.Select(s => "    " + s),
        ]);
    }

    private async Task AgreeAsync()
    {
        if (isAgreed)
            return;
        if (stack.Run.Surroundings.Questions is not { } questions)
            throw new FumidaiException(Reason.Usage, $"stack {name} was not taken down: nobody can be asked here", next: "Add --yes to do it");
        if (await questions.ReadAsync($"Type {name} to delete all that goes:", stack.Token) != name)
            throw new FumidaiException(Reason.Failed, $"stack {name} was left as it is, as you said");
    }

    private async Task FollowAsync(RemovalList list)
    {
        try
        {
            await new StackProgress(_screen, $"Taking down {name}", list.Goes.Count).FollowAsync(_removal.DeleteAsync(list.Stack.Id, [], stack.Token));
        }
        catch (OperationCanceledException) when (stack.Run.Stop.ExitCode != 0)
        {
            _screen.Waiting(null);
            _screen.Note($"CloudFormation goes on deleting {name}. fumidai down follows it and finishes.");
            throw;
        }
    }

    private async Task<int> FinishAsync(bool wasThere, IReadOnlyList<string> stays)
    {
        _screen.Waiting($"Looking for what still carries the tag {StackPlan.OwnerTag}={name}");
        var check = await _removal.VerifyAsync(name, stack.Token);
        _screen.Waiting(null);
        new TargetEntry(stack, name).Remove();
        if (check.Remains.Count > 0)
        {
            throw new FumidaiException(
                Reason.Failed, string.Create(CultureInfo.InvariantCulture, $"stack {name} is {(wasThere ? "gone" : "not there")}, but {check.Remains.Count} things still carry its tag"),
                string.Join(", ", check.Remains), "Look at them, and delete what nobody needs");
        }
        foreach (var one in check.Stays)
            _screen.Report(new TunnelEvent("stays", $"Stays: {one}", Of(("stack", name), ("arn", one))));
        if (check.Unchecked is { } why)
            _screen.LastWord($"Whether anything is left could not be looked at: {why}");
        var nothing = check.Unchecked is null ? " Nothing is left that carries its tag" + (check.Stays.Count > 0 || stays.Count > 0 ? ", but for the snapshot." : ".") : "";
        _screen.Report(new TunnelEvent("stack_gone", wasThere ? $"Stack {name} is gone.{nothing}" : $"There is no stack {name} in {stack.Region}.{nothing}", Of(("stack", name), ("region", stack.Region))));
        return ExitCodes.Success;
    }

    private static Dictionary<string, string> Of(params (string Key, string Value)[] fields) => fields.ToDictionary(f => f.Key, f => f.Value, StringComparer.Ordinal);
}
