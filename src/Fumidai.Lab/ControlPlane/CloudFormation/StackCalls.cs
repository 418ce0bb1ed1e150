namespace Fumidai.Lab;

/// <summary>Stacks made, changed, removed and described.</summary>
internal sealed class StackCalls(LabContext context, StackTable stacks, StackInputs inputs, StackEngine engine)
{
    private static readonly AwsAnswer s_done = new XmlText().ToAnswer();

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var name = form.Required("StackName");
        if (stacks.Find(call, name) is not null)
            throw new AwsError("AlreadyExistsException", $"Stack [{name}] already exists");
        var onFailure = OnFailure(form);
        var input = inputs.Read(call, form, null);
        var stack = stacks.New(call, form, "CREATE_IN_PROGRESS");
        stack.IsTerminationProtected = form.Flag("EnableTerminationProtection") == true;
        stack.IsRollbackDisabled = onFailure == "DO_NOTHING";
        stack.Token = form.Text("ClientRequestToken");
        engine.Create(stack, input, onFailure);
        return new XmlText().Element("StackId", stack.Id).ToAnswer();
    }

    public AwsAnswer Update(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        DemandUpdatable(stack);
        var input = inputs.Read(call, form, stack);
        if (new ChangePlan(context, stack, input).Make().Count == 0 && ResourceSteps.SameTags(input.Tags, stack.Tags))
            throw Template.Wrong("No updates are to be performed.");
        (stack.Caller, stack.Token) = (call.Caller, form.Text("ClientRequestToken"));
        engine.Update(stack, input, form.Flag("DisableRollback") == true);
        return new XmlText().Element("StackId", stack.Id).ToAnswer();
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        // A stack that is not there is deleted.
        if (stacks.Find(call, form.Required("StackName")) is not { } stack || stack.Status is "DELETE_COMPLETE" or "DELETE_IN_PROGRESS")
            return s_done;
        if (stack.IsTerminationProtected)
            throw Template.Wrong($"Stack [{stack.Name}] cannot be deleted while TerminationProtection is enabled");
        var retained = form.Texts("RetainResources.member");
        if (retained.Count > 0 && stack.Status != "DELETE_FAILED")
            throw Template.Wrong($"Invalid operation on stack [{stack.Id}]. RetainResources can only be specified when the stack is in the DELETE_FAILED state.");
        if (stack.IsBusy && stack.Status is not ("CREATE_IN_PROGRESS" or "ROLLBACK_IN_PROGRESS"))
            throw Template.Wrong($"Stack [{stack.Name}] cannot be deleted while in status {stack.Status}");
        (stack.Caller, stack.Token) = (call.Caller, form.Text("ClientRequestToken"));
        context.Model.Change(_ =>
        {
            stack.ChangeSets.Clear();
            return 0;
        });
        engine.Delete(stack, retained);
        return s_done;
    }

    public AwsAnswer ContinueRollback(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        if (stack.Status != "UPDATE_ROLLBACK_FAILED")
            throw Template.Wrong($"Stack [{stack.Id}] is in {stack.Status} state and cannot continue update rollback.");
        (stack.Caller, stack.Token) = (call.Caller, form.Text("ClientRequestToken"));
        engine.ContinueRollback(stack, form.Texts("ResourcesToSkip.member"));
        return new AwsAnswer.Xml(" ");
    }

    public AwsAnswer Protect(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        stack.IsTerminationProtected = form.Flag("EnableTerminationProtection") ?? throw form.Missing("EnableTerminationProtection");
        return new XmlText().Element("StackId", stack.Id).ToAnswer();
    }

    public AwsAnswer Describe(AwsCall call, QueryForm form)
    {
        var found = form.Text("StackName") is { Length: > 0 } name ? [stacks.Demand(call, name)] : stacks.Mine(call).Where(s => s.Status != "DELETE_COMPLETE").ToList();
        return Page("Stacks", found, form, StackXml.Stack);
    }

    public AwsAnswer List(AwsCall call, QueryForm form)
    {
        var wanted = form.Texts("StackStatusFilter.member");
        return Page("StackSummaries", stacks.Mine(call).Where(s => wanted.Count == 0 || wanted.Contains(s.Status)).ToList(), form, StackXml.Summary);
    }

    /// <summary>Newest first.</summary>
    public AwsAnswer Events(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        return Page("StackEvents", context.Model.Read(_ => stack.Events.AsEnumerable().Reverse().ToList()), form, (x, e) => StackXml.Event(x, stack, e));
    }

    public AwsAnswer Resources(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Text("StackName") ?? OwnerOf(call, form.Required("PhysicalResourceId")));
        var all = context.Model.Read(_ => stack.Resources.Values.ToList());
        if (form.Text("LogicalResourceId") is { } logical)
            all = all.FirstOrDefault(r => r.LogicalId == logical) is { } one ? [one] : throw Template.Wrong($"Resource {logical} does not exist for stack {stack.Name}");
        return context.Model.Read(_ => new XmlText().List("StackResources", "member", all, (x, r) => StackXml.Resource(x, stack, r)).ToAnswer());
    }

    public AwsAnswer Resource(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        var logical = form.Required("LogicalResourceId");
        return context.Model.Read(_ => stack.Resources.GetValueOrDefault(logical) is { } resource
            ? new XmlText().Group("StackResourceDetail", x =>
            {
                x.Element("StackName", stack.Name).Element("StackId", stack.Id).Element("Metadata", "{}");
                StackXml.ResourceSummary(x, resource);
            }).ToAnswer()
            : throw Template.Wrong($"Resource {logical} does not exist for stack {stack.Name}"));
    }

    public AwsAnswer ListResources(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        return Page("StackResourceSummaries", context.Model.Read(_ => stack.Resources.Values.ToList()), form, StackXml.ResourceSummary);
    }

    /// <summary>Refuses a stack that cannot be updated now.</summary>
    public static void DemandUpdatable(Stack stack)
    {
        if (stack.Status is not ("CREATE_COMPLETE" or "UPDATE_COMPLETE" or "UPDATE_ROLLBACK_COMPLETE"))
            throw Template.Wrong($"Stack:{stack.Id} is in {stack.Status} state and can not be updated.");
    }

    private static string OnFailure(QueryForm form)
    {
        var onFailure = form.Text("OnFailure");
        if (form.Flag("DisableRollback") is { } isDisabled)
            return onFailure is not null ? throw Template.Wrong("You can specify only one of DisableRollback and OnFailure parameters.") : isDisabled ? "DO_NOTHING" : "ROLLBACK";
        return onFailure is null or "ROLLBACK" or "DO_NOTHING" or "DELETE" ? onFailure ?? "ROLLBACK" : throw Template.Wrong($"1 validation error detected: Value '{onFailure}' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [ROLLBACK, DELETE, DO_NOTHING]");
    }

    private string OwnerOf(AwsCall call, string physicalId) => context.Model.Read(_ => stacks.Mine(call).FirstOrDefault(s => s.Resources.Values.Any(r => r.IsThere && r.PhysicalId == physicalId))?.Id)
        ?? throw Template.Wrong($"Stack for {physicalId} does not exist");

    private AwsAnswer Page<T>(string name, IReadOnlyList<T> all, QueryForm form, Action<XmlText, T> write) => context.Model.Read(_ =>
    {
        var (page, next) = Paging.Cut(all, form.Text("NextToken"), 100, () => Template.Wrong("NextToken is not valid"));
        return new XmlText().List(name, "member", page, write).Element("NextToken", next).ToAnswer();
    });
}
