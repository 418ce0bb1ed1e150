namespace Fumidai.Lab;

/// <summary>Builds, changes and removes stacks beside the calls that ask for it.</summary>
internal sealed class StackEngine(LabContext context, StackJournal journal, ResourceSteps steps)
{
    /// <summary>Builds a stack from nothing. <paramref name="onFailure"/>: ROLLBACK, DO_NOTHING or DELETE.</summary>
    public void Create(Stack stack, StackInput input, string onFailure)
    {
        Take(stack, input);
        journal.Set(stack, "CREATE_IN_PROGRESS", "User Initiated");
        Run(stack, async cancel =>
        {
            try
            {
                foreach (var declared in Wanted(stack, input))
                    await steps.MakeAsync(stack, input, declared, cancel).ConfigureAwait(false);
                SetOutputs(stack, input);
                journal.Set(stack, "CREATE_COMPLETE");
            }
            catch (Exception failure) when (failure is StepFailure or AwsError)
            {
                var why = failure is StepFailure step ? $"The following resource(s) failed to create: [{step.Resource.LogicalId}]. " : failure.Message + " ";
                if (onFailure == "DO_NOTHING")
                    journal.Set(stack, "CREATE_FAILED", why);
                else if (onFailure == "DELETE")
                    await DemolishAsync(stack, "DELETE", why + "Delete requested by user.", [], cancel).ConfigureAwait(false);
                else
                    await DemolishAsync(stack, "ROLLBACK", why + "Rollback requested by user.", [], cancel).ConfigureAwait(false);
            }
        });
    }

    public void Update(Stack stack, StackInput input, bool isRollbackDisabled)
    {
        var before = stack.Input!;
        context.Model.Change(_ => stack.UpdatedAt = context.Time.GetUtcNow());
        journal.Set(stack, "UPDATE_IN_PROGRESS", "User Initiated");
        Run(stack, async cancel =>
        {
            stack.Undo.Clear();
            // Replaced ones' old bodies, to be removed at the end.
            var old = new List<StackResource>();
            try
            {
                var wanted = Wanted(stack, input);
                foreach (var declared in wanted)
                {
                    if (stack.Resources.GetValueOrDefault(declared.LogicalId) is { IsThere: true } present && present.Type.Name == declared.Type)
                    {
                        if (await steps.ChangeAsync(stack, input, declared, cancel).ConfigureAwait(false) is { } step && step.Resource.PhysicalId != step.PhysicalIdBefore && step.PropertiesBefore is var properties
                            && ResourceSteps.Changed(properties, step.Resource.Properties).Any(step.Resource.Type.Replaces))
                            old.Add(Shadow(step, declared.UpdateReplacePolicy));
                        continue;
                    }
                    stack.Undo.Push(new UpdateStep(new StackResource { LogicalId = declared.LogicalId, Type = ResourceTypes.Find(declared.Type)! }, true, null, TemplateNode.Empty, new Dictionary<string, string>()));
                    await steps.MakeAsync(stack, input, declared, cancel).ConfigureAwait(false);
                }
                Take(stack, input);
                SetOutputs(stack, input);
                journal.Set(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
                var names = wanted.Select(w => w.LogicalId).ToHashSet(StringComparer.Ordinal);
                old.AddRange(Backwards(stack).Where(r => !names.Contains(r.LogicalId)));
                foreach (var resource in old)
                    await CleanAsync(stack, resource, cancel).ConfigureAwait(false);
                stack.Undo.Clear();
                journal.Set(stack, "UPDATE_COMPLETE");
            }
            catch (Exception failure) when (failure is StepFailure or AwsError)
            {
                var why = failure is StepFailure step ? $"The following resource(s) failed to {(step.Resource.Status.StartsWith("CREATE", StringComparison.Ordinal) ? "create" : "update")}: [{step.Resource.LogicalId}]. " : failure.Message + " ";
                if (isRollbackDisabled)
                    journal.Set(stack, "UPDATE_FAILED", why);
                else
                    await UndoAsync(stack, before, why, [], cancel).ConfigureAwait(false);
            }
        });
    }

    /// <summary>Takes up an undoing that failed. <paramref name="skipped"/>: resources to leave as they are.</summary>
    public void ContinueRollback(Stack stack, IReadOnlyList<string> skipped)
    {
        journal.Set(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated");
        Run(stack, cancel => UndoStepsAsync(stack, stack.Input!, skipped, cancel));
    }

    /// <summary>Removes a stack; a creation under way is broken off first.</summary>
    public void Delete(Stack stack, IReadOnlyList<string> retained)
    {
        stack.Work?.Cancel();
        journal.Set(stack, "DELETE_IN_PROGRESS", "User Initiated");
        Run(stack, cancel => DemolishAsync(stack, "DELETE", null, retained, cancel));
    }

    private void Run(Stack stack, Func<CancellationToken, Task> work)
    {
        var (before, done, own) = (stack.Running, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new CancellationTokenSource());
        stack.Work = own;
        stack.Running = done.Task;
        context.Transitions.Start($"Stack {stack.Name}", async cancel =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, own.Token);
            try
            {
                await before.WaitAsync(cancel).ConfigureAwait(false);
                await work(either.Token).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                // A fault of the lab itself must not leave a client waiting for ever.
                var status = stack.Status.Replace("_IN_PROGRESS", "_FAILED", StringComparison.Ordinal);
                journal.Set(stack, status, $"Internal Failure: {fault.Message}");
                throw;
            }
            finally
            {
                done.SetResult();
            }
        });
    }

    /// <summary>Removes all resources, last made first. What a failed one needs stays with it.</summary>
    private async Task DemolishAsync(Stack stack, string operation, string? why, IReadOnlyList<string> retained, CancellationToken cancellationToken)
    {
        if (stack.Status != $"{operation}_IN_PROGRESS")
            journal.Set(stack, $"{operation}_IN_PROGRESS", why);
        var failed = new List<StackResource>();
        foreach (var resource in Backwards(stack))
        {
            if (retained.Contains(resource.LogicalId))
            {
                journal.Set(stack, resource, "DELETE_SKIPPED");
                continue;
            }
            if (failed.Any(f => f.Needs.Contains(resource.LogicalId)))
            {
                failed.Add(resource);
                continue;
            }
            try
            {
                await steps.RemoveAsync(stack, resource, cancellationToken).ConfigureAwait(false);
            }
            catch (StepFailure)
            {
                failed.Add(resource);
            }
        }
        if (failed.Count > 0)
        {
            var named = failed.Where(f => f.Status == "DELETE_FAILED").Select(f => f.LogicalId);
            journal.Set(stack, $"{operation}_FAILED", $"The following resource(s) failed to delete: [{string.Join(", ", named)}]. ");
            return;
        }
        if (operation == "DELETE")
            context.Model.Change(_ => stack.DeletedAt = context.Time.GetUtcNow());
        journal.Set(stack, $"{operation}_COMPLETE");
    }

    private Task UndoAsync(Stack stack, StackInput before, string why, IReadOnlyList<string> skipped, CancellationToken cancellationToken)
    {
        journal.Set(stack, "UPDATE_ROLLBACK_IN_PROGRESS", why);
        return UndoStepsAsync(stack, before, skipped, cancellationToken);
    }

    private async Task UndoStepsAsync(Stack stack, StackInput before, IReadOnlyList<string> skipped, CancellationToken cancellationToken)
    {
        // Changed ones go back first, then what was made goes away.
        var made = new List<StackResource>();
        while (stack.Undo.TryPeek(out var step))
        {
            try
            {
                if (step.IsNew && stack.Resources.GetValueOrDefault(step.Resource.LogicalId) is { } fresh)
                    made.Add(fresh);
                if (!step.IsNew && step.Resource.PhysicalId != step.PhysicalIdBefore && ResourceSteps.Changed(step.PropertiesBefore, step.Resource.Properties).Any(step.Resource.Type.Replaces))
                    made.Add(Body(step.Resource));
                if (!step.IsNew && !skipped.Contains(step.Resource.LogicalId))
                    await steps.UndoAsync(stack, step, cancellationToken).ConfigureAwait(false);
            }
            catch (StepFailure failure)
            {
                journal.Set(stack, "UPDATE_ROLLBACK_FAILED", $"The following resource(s) failed to update: [{failure.Resource.LogicalId}]. ");
                return;
            }
            stack.Undo.Pop();
        }
        Take(stack, before);
        journal.Set(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
        foreach (var resource in made)
            await CleanAsync(stack, resource, cancellationToken).ConfigureAwait(false);
        SetOutputs(stack, before);
        journal.Set(stack, "UPDATE_ROLLBACK_COMPLETE");
    }

    /// <summary>Removes what an update left over. A failure is told and changes nothing about the stack's state, as on AWS.</summary>
    private async Task CleanAsync(Stack stack, StackResource resource, CancellationToken cancellationToken)
    {
        try
        {
            await steps.RemoveAsync(stack, resource, cancellationToken).ConfigureAwait(false);
        }
        catch (StepFailure)
        {
        }
        context.Model.Change(_ =>
        {
            // Only what is in the stack's list under its name leaves the list; a replaced body is not.
            if (stack.Resources.GetValueOrDefault(resource.LogicalId) == resource)
                stack.Resources.Remove(resource.LogicalId);
            return 0;
        });
    }

    private IReadOnlyList<StackResource> Backwards(Stack stack) => context.Model.Read(_ => stack.Resources.Values.Reverse().Where(r => r.Status is not ("DELETE_COMPLETE" or "DELETE_SKIPPED")).ToList());

    private static StackResource Shadow(UpdateStep step, string? policy) => new()
    {
        LogicalId = step.Resource.LogicalId,
        Type = step.Resource.Type,
        PhysicalId = step.PhysicalIdBefore,
        Properties = step.PropertiesBefore,
        Tags = step.TagsBefore,
        DeletionPolicy = policy ?? (step.Resource.Type is DbClusterType ? "Snapshot" : "Delete"),
    };

    private static StackResource Body(StackResource resource) => new()
    {
        LogicalId = resource.LogicalId,
        Type = resource.Type,
        PhysicalId = resource.PhysicalId,
        Properties = resource.Properties,
        Tags = resource.Tags,
        DeletionPolicy = "Delete",
    };

    /// <summary>The declared resources whose conditions hold, in order.</summary>
    private List<TemplateResource> Wanted(Stack stack, StackInput input)
    {
        var functions = new TemplateFunctions(new StackScope(context, stack, input));
        return [.. input.Template.Order().Select(id => input.Template.Resources[id]).Where(r => r.Condition is null || functions.Condition(r.Condition))];
    }

    private void Take(Stack stack, StackInput input) => context.Model.Change(_ =>
    {
        stack.Input = input;
        stack.Tags.Clear();
        foreach (var (key, value) in input.Tags)
            stack.Tags[key] = value;
        return 0;
    });

    private void SetOutputs(Stack stack, StackInput input)
    {
        var functions = new TemplateFunctions(new StackScope(context, stack, input));
        var outputs = new List<StackOutput>();
        foreach (var (key, node) in input.Template.Outputs.Members)
        {
            if (node.Member("Condition")?.Value is not { } condition || functions.Condition(condition))
                outputs.Add(new StackOutput(key, functions.Text(node.Member("Value")!), node.Member("Description")?.Value));
        }
        context.Model.Change(_ =>
        {
            stack.Outputs.Clear();
            stack.Outputs.AddRange(outputs);
            return 0;
        });
    }
}
