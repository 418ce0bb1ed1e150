using System.Globalization;
using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>
/// The course of <c>fumidai up</c>: what there is, what is wanted, the summary, a yes, the change set, its events, the entry in fumidai.yaml. Nothing
/// is remembered between runs: whoever was interrupted runs it again, and it goes on from what AWS says.
/// </summary>
internal sealed class StackBuilding(StackRun stack, StackChoices choices, UpOptions how)
{
    private readonly Screen _screen = stack.Screen;
    private readonly StackDeployment _deployment = new(stack.Access, stack.Time);
    private readonly string _name = choices.Name;

    /// <summary>Somebody who can say yes; null: nobody, or it is said already.</summary>
    private IQuestions? Questions => how.IsAgreed ? null : stack.Run.Surroundings.Questions;

    private bool MayBuild => how.IsAgreed || Questions is not null;

    internal async Task<int> RunAsync()
    {
        _screen.Waiting($"Looking for stack {_name} in {stack.Region}");
        var status = await stack.FindAsync(_name);
        if (status is { Standing.Phase: StackPhase.Busy or StackPhase.Deleting } && MayBuild && !how.OnlyShow && how.ExportAs is null)
        {
            _screen.Note($"Stack {_name} is {status.Stack.Status}: following that first.");
            await FollowAsync($"Waiting for {_name}", null, _deployment.SettleAsync(_name, stack.Token));
            status = await stack.FindAsync(_name);
        }
        // A state that only deletion leads out of is told before anything else is asked.
        if (status is { Standing.Phase: StackPhase.Broken })
            await FollowAsync($"Looking at {_name}", null, _deployment.SettleAsync(_name, stack.Token));
        var isNew = status is null or { Standing.Phase: StackPhase.Draft or StackPhase.Leftover };
        var plan = await PlanAsync(isNew ? null : await PresentAsync(status!), isNew && !how.OnlyShow);
        if (how.ExportAs is not null)
            return StackExport.Write(stack.Run, how, plan);

        _screen.Waiting("Asking whose account this is");
        var summary = new StackSummary(plan, stack.Region, await stack.AccountAsync());
        _screen.Waiting(null);
        if (how.OnlyShow)
            return await ShowAsync(summary, isNew);
        Tell(summary, isNew);
        if (!MayBuild)
            throw new FumidaiException(Reason.Usage, $"stack {_name} was not {(isNew ? "built" : "changed")}: nobody can be asked here", next: "Add --yes to do it, or --dry-run to see the change set");
        return isNew ? await BuildAsync(plan) : await ChangeAsync(plan);
    }

    private async Task<StackOptions> PresentAsync(StackStatus status)
    {
        var template = await ReadStack.TemplateAsync(stack.Access, status.Stack.Id, stack.Token);
        return PresentOptions.Of(status.Stack, status.Resources, template);
    }

    private async Task<StackPlan> PlanAsync(StackOptions? present, bool mayAsk)
    {
        var options = choices.Over(present) with { RenewImage = how.RenewImage };
        if (mayAsk && Questions is { } questions)
        {
            _screen.Waiting(null);
            options = await new StackInterview(questions, stack, choices).AskAsync(options);
        }
        // Where nobody else is let in, nobody need be asked who we are.
        options = options with { MyAddress = options.HasPublicBastion ? await stack.OwnAddressAsync() : null };
        _screen.Waiting($"Looking at what is there in {stack.Region}");
        return StackPlan.Compose(options, await SiteSurvey.AskAsync(stack.Access, options, stack.Token));
    }

    private async Task<int> ShowAsync(StackSummary summary, bool isNew)
    {
        _screen.Waiting("Making a change set");
        var changes = await _deployment.ProposeAsync(summary.Plan, stack.Token);
        try
        {
            _screen.Waiting(null);
            if (_screen.Mode.Json)
            {
                _screen.Report(summary.Event());
                ShowChanges(changes);
                return ExitCodes.Success;
            }
            foreach (var line in summary.Lines(isNew, withBill: true))
                _screen.Result(Visible.Indented(line));
            _screen.Result(changes.IsEmpty ? "  Change set: nothing would change" : string.Create(CultureInfo.InvariantCulture, $"  Change set: {changes.Changes.Count} changes"));
            foreach (var line in changes.Changes.Select(Line))
                _screen.Result("    " + line);
            return ExitCodes.Success;
        }
        finally
        {
            await stack.WithdrawAsync(_deployment, changes);
        }
    }

    private void Tell(StackSummary summary, bool isNew)
    {
        if (_screen.Mode.Json)
            _screen.Report(summary.Event());
        else
            _screen.Notes(summary.Lines(isNew, _screen.Mode.Verbose));
    }

    private async Task<int> BuildAsync(StackPlan plan)
    {
        if (Questions is { } questions && !await IsAgreedAsync(questions, $"Build it? [y/N]"))
            return Declined();
        // The empty leftover of a creation that failed goes first.
        await FollowAsync($"Clearing away what is left of {_name}", null, _deployment.SettleAsync(_name, stack.Token));
        return await ExecuteAsync(await ProposeAsync(plan));
    }

    private async Task<int> ChangeAsync(StackPlan plan)
    {
        await FollowAsync($"Waiting for {_name}", null, _deployment.SettleAsync(_name, stack.Token));
        var changes = await ProposeAsync(plan);
        if (changes.IsEmpty)
        {
            _screen.Report(new TunnelEvent("unchanged", $"Stack {_name} is as wanted: nothing to change.", Of(("stack", _name))));
            return await FinishAsync();
        }
        ShowChanges(changes);
        var losses = changes.LosesData.Select(c => c.LogicalId).ToList();
        try
        {
            if (losses.Count > 0)
                await AgreeToLossAsync(losses);
            else if (Questions is { } questions && !await IsAgreedAsync(questions, "Change it? [y/N]"))
                throw new FumidaiException(Reason.Failed, $"stack {_name} was not changed, as you said");
        }
        catch
        {
            await stack.WithdrawAsync(_deployment, changes);
            throw;
        }
        return await ExecuteAsync(changes);
    }

    // A yes given beforehand was not given to this.
    private async Task AgreeToLossAsync(List<string> losses)
    {
        var what = $"this would remove or replace {string.Join(" and ", losses)} of stack {_name}, and the data with it";
        if (Questions is not { } questions)
            throw new FumidaiException(Reason.Failed, what, "--yes does not agree to that", "See --dry-run; on a terminal, without --yes, you can agree by the stack's name");
        _screen.Note(char.ToUpperInvariant(what[0]) + what[1..] + ".");
        if (await questions.ReadAsync($"Type {_name} if that is what you want:", stack.Token) != _name)
            throw new FumidaiException(Reason.Failed, $"stack {_name} was not changed, as you said");
    }

    private async Task<ProposedChanges> ProposeAsync(StackPlan plan)
    {
        _screen.Waiting("Making a change set");
        var changes = await _deployment.ProposeAsync(plan, stack.Token);
        _screen.Waiting(null);
        return changes;
    }

    private async Task<int> ExecuteAsync(ProposedChanges changes)
    {
        await FollowAsync(changes.IsCreation ? $"Building {_name}" : $"Changing {_name}", changes.Changes.Count, _deployment.ExecuteAsync(changes, stack.Token));
        _screen.Report(new TunnelEvent("stack_ready", $"Stack {_name} is up.", Of(("stack", _name), ("region", stack.Region))));
        return await FinishAsync();
    }

    private async Task<int> FinishAsync()
    {
        _screen.Waiting("Looking at the stack's outputs");
        var status = await StackStatus.ReadAsync(stack.Access, _name, stack.Token);
        _screen.Waiting(null);
        if (status.ClusterEndpoint is { } endpoint && status.SecretArn is { } secret)
            _screen.Note($"Database {endpoint}; its master password is in {secret}");
        if (status.ClusterId is { } cluster)
            new TargetEntry(stack, _name).Write(cluster, choices.Said.GetValueOrDefault(StackWord.Secret));
        return ExitCodes.Success;
    }

    private async Task FollowAsync(string doing, int? expected, IAsyncEnumerable<StackEvent> events)
    {
        try
        {
            await new StackProgress(_screen, doing, expected).FollowAsync(events);
        }
        catch (OperationCanceledException) when (stack.Run.Stop.ExitCode != 0)
        {
            _screen.Waiting(null);
            _screen.Note($"CloudFormation goes on with {_name}. fumidai up follows it and finishes; fumidai down takes it down.");
            throw;
        }
    }

    private void ShowChanges(ProposedChanges changes)
    {
        foreach (var change in changes.Changes)
        {
            _screen.Report(new TunnelEvent("change", Line(change), Of(
                ("action", change.Action), ("resource", change.LogicalId), ("type", change.Type), ("id", change.PhysicalId ?? ""), ("replacement", change.Replacement ?? ""))));
        }
    }

    private static string Line(ResourceChange change)
    {
        var what = Visible.Line($"{change.LogicalId}  {change.Type}{(change.PhysicalId is null ? "" : $"  {change.PhysicalId}")}");
        return (change.Action, change.Replacement) switch
        {
            ("Add", _) => $"+ {what}",
            ("Remove", _) => $"- {what}",
            (_, "True") => $"± {what}  (replaced)",
            (_, "Conditional") => $"± {what}  (perhaps replaced)",
            _ => $"~ {what}",
        };
    }

    private async Task<bool> IsAgreedAsync(IQuestions questions, string question) =>
        await questions.ReadAsync(question, stack.Token) is "y" or "Y" or "yes" or "Yes" or "YES";

    private int Declined()
    {
        _screen.Note("Nothing was built.");
        return ExitCodes.Failed;
    }

    private static Dictionary<string, string> Of(params (string Key, string Value)[] fields) => fields.ToDictionary(f => f.Key, f => f.Value, StringComparer.Ordinal);
}
