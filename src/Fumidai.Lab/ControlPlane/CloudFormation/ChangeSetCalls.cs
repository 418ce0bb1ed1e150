namespace Fumidai.Lab;

/// <summary>Change sets: made beside the call, executed once.</summary>
internal sealed class ChangeSetCalls(LabContext context, StackTable stacks, StackInputs inputs, StackEngine engine, StackJournal journal)
{
    private const string Nothing = "The submitted information didn't contain changes. Submit different information to create a change set.";

    // The model has an empty result here, which clients look for; a result without content would be left out.
    private static readonly AwsAnswer s_done = new AwsAnswer.Xml(" ");

    public AwsAnswer Create(AwsCall call, QueryForm form)
    {
        var (stackName, name) = (form.Required("StackName"), form.Required("ChangeSetName"));
        if (name.Length > 128 || !char.IsAsciiLetter(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            throw Template.Wrong($"1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*");
        var kind = form.Text("ChangeSetType") ?? "UPDATE";
        if (kind is not ("CREATE" or "UPDATE"))
            throw Template.Wrong("Change sets of type IMPORT are not modelled by this lab.");
        var onFailure = form.Text("OnStackFailure");
        if (onFailure is not (null or "DO_NOTHING" or "ROLLBACK" or "DELETE"))
            throw Template.Wrong($"1 validation error detected: Value '{onFailure}' at 'onStackFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]");
        var stack = stacks.Find(call, stackName);
        if (kind == "CREATE")
        {
            if (stack is not null && stack.Status != "REVIEW_IN_PROGRESS")
                throw Template.Wrong($"Stack [{stackName}] already exists and cannot be created again with the changeSet [{name}].");
        }
        else
        {
            if (stack is null)
                throw Template.Wrong($"Stack [{stackName}] does not exist");
            StackCalls.DemandUpdatable(stack);
            if (onFailure == "DELETE")
                throw Template.Wrong("OnStackFailure DELETE is for change sets of type CREATE only.");
        }
        if (stack?.ChangeSets.Any(c => c.Name == name) == true)
            throw new AwsError("AlreadyExistsException", $"ChangeSet {name} already exists");
        var input = inputs.Read(call, form, stack);
        if (stack is null)
        {
            stack = stacks.New(call, form, "REVIEW_IN_PROGRESS");
            journal.Set(stack, "REVIEW_IN_PROGRESS", "User Initiated");
        }
        var set = new ChangeSet
        {
            Id = $"arn:aws:cloudformation:{call.Region}:{call.Caller.Account}:changeSet/{name}/{Guid.NewGuid()}",
            Name = name,
            StackId = stack.Id,
            IsCreation = kind == "CREATE",
            CreatedAt = context.Time.GetUtcNow(),
            Input = input,
            Description = form.Text("Description"),
            OnFailure = onFailure,
        };
        context.Model.Change(_ =>
        {
            stack.ChangeSets.Add(set);
            return 0;
        });
        context.Transitions.Start($"Change set {name}", () => Fill(stack, set));
        return new XmlText().Element("Id", set.Id).Element("StackId", stack.Id).ToAnswer();
    }

    private void Fill(Stack stack, ChangeSet set)
    {
        IReadOnlyList<ResourceChange> changes = [];
        string? why = null;
        try
        {
            changes = new ChangePlan(context, stack, set.Input).Make();
            if (changes.Count == 0 && ResourceSteps.SameTags(set.Input.Tags, stack.Tags) && SameOutputs(stack, set.Input))
                why = Nothing;
        }
        catch (AwsError error)
        {
            why = error.Message;
        }
        context.Model.Change(_ =>
        {
            (set.Changes, set.StatusReason) = (changes, why);
            (set.Status, set.ExecutionStatus) = why is null ? ("CREATE_COMPLETE", "AVAILABLE") : ("FAILED", "UNAVAILABLE");
            return 0;
        });
    }

    public AwsAnswer Describe(AwsCall call, QueryForm form)
    {
        var (stack, set) = stacks.DemandChangeSet(call, form);
        return context.Model.Read(_ =>
        {
            var x = new XmlText();
            StackXml.ChangeSetSummary(x, stack, set);
            StackXml.Parameters(x, set.Input);
            x.Texts("Capabilities", "member", set.Input.Capabilities);
            StackXml.Tags(x, set.Input.Tags);
            var (page, next) = Paging.Cut(set.Changes, form.Text("NextToken"), 100, () => Template.Wrong("NextToken is not valid"));
            return x.List("Changes", "member", page, StackXml.Change).Element("NextToken", next).Texts("NotificationARNs", "member", []).Group("RollbackConfiguration", _ => { })
                .Element("IncludeNestedStacks", false).Element("OnStackFailure", set.OnFailure).ToAnswer();
        });
    }

    public AwsAnswer Execute(AwsCall call, QueryForm form)
    {
        var (stack, set) = stacks.DemandChangeSet(call, form);
        var isDisabled = form.Flag("DisableRollback");
        if (isDisabled is not null && set.OnFailure is not null)
            throw Template.Wrong("DisableRollback cannot be used with a change set that has OnStackFailure.");
        context.Model.Change(_ =>
        {
            if (set.ExecutionStatus != "AVAILABLE")
                throw new AwsError("InvalidChangeSetStatus", $"ChangeSet [{set.Id}] cannot be executed in its current status of [{(set.Status == "CREATE_COMPLETE" ? set.ExecutionStatus : set.Status)}]");
            if (!set.IsCreation)
                StackCalls.DemandUpdatable(stack);
            set.ExecutionStatus = "EXECUTE_IN_PROGRESS";
            // Executing one deletes all others of the stack, and itself when it is done.
            stack.ChangeSets.Clear();
            return 0;
        });
        (stack.Caller, stack.Token) = (call.Caller, form.Text("ClientRequestToken"));
        if (set.IsCreation)
        {
            var onFailure = set.OnFailure ?? (isDisabled == true ? "DO_NOTHING" : "ROLLBACK");
            stack.IsRollbackDisabled = onFailure == "DO_NOTHING";
            engine.Create(stack, set.Input, onFailure);
        }
        else
        {
            engine.Update(stack, set.Input, isDisabled == true || set.OnFailure == "DO_NOTHING");
        }
        return s_done;
    }

    public AwsAnswer Delete(AwsCall call, QueryForm form)
    {
        try
        {
            var (stack, set) = stacks.DemandChangeSet(call, form);
            context.Model.Change(_ => stack.ChangeSets.Remove(set));
        }
        catch (AwsError error) when (error.Code == "ChangeSetNotFound")
        {
            // Deleting what is not there succeeds, as on AWS.
        }
        return s_done;
    }

    public AwsAnswer List(AwsCall call, QueryForm form)
    {
        var stack = stacks.Demand(call, form.Required("StackName"));
        return context.Model.Read(_ => new XmlText().List("Summaries", "member", stack.ChangeSets, (x, c) => StackXml.ChangeSetSummary(x, stack, c)).ToAnswer());
    }

    /// <summary>Outputs alone are a change too.</summary>
    private static bool SameOutputs(Stack stack, StackInput input) => stack.Input is not { } before || TemplateNode.Same(before.Template.Outputs, input.Template.Outputs);
}
