namespace Fumidai.Lab;

/// <summary>
/// Makes, changes and removes single resources of stacks. Lab only: a step takes a fiftieth of a second of the lab's clock, beside what the resource
/// itself takes to become ready, and one comes after the other, where AWS works on several.
/// </summary>
internal sealed class ResourceSteps(LabContext context, CallsOnBehalf calls, StackJournal journal)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="StepFailure">It could not be made; what was made of it is remembered.</exception>
    public async Task MakeAsync(Stack stack, StackInput input, TemplateResource declared, CancellationToken cancellationToken)
    {
        var resource = new StackResource
        {
            LogicalId = declared.LogicalId,
            Type = ResourceTypes.Find(declared.Type)!,
            DeletionPolicy = declared.DeletionPolicy,
            Needs = TemplateReferences.NeedsOf(input.Template, declared),
        };
        context.Model.Change(_ => stack.Resources[declared.LogicalId] = resource);
        await TryAsync(stack, resource, "CREATE", async () =>
        {
            resource.Properties = Resolve(stack, input, declared);
            var tags = TagsOf(input, resource.Type, resource.Properties);
            journal.Set(stack, resource, "CREATE_IN_PROGRESS");
            await Task.Delay(s_pause, context.Time, cancellationToken).ConfigureAwait(false);
            resource.Type.Check(resource.LogicalId, resource.Properties);
            await resource.Type.CreateAsync(Work(stack, resource, resource.Properties, tags, id => Made(stack, resource, id, true), cancellationToken)).ConfigureAwait(false);
            resource.Tags = tags;
            journal.Set(stack, resource, "CREATE_COMPLETE");
        }).ConfigureAwait(false);
    }

    /// <summary>Brings a resource to what the template now says. Null: nothing to do; else the step, to undo it by.</summary>
    /// <exception cref="StepFailure">It could not be changed.</exception>
    public async Task<UpdateStep?> ChangeAsync(Stack stack, StackInput input, TemplateResource declared, CancellationToken cancellationToken)
    {
        var resource = stack.Resources[declared.LogicalId];
        UpdateStep? step = null;
        (resource.DeletionPolicy, resource.Needs) = (declared.DeletionPolicy, TemplateReferences.NeedsOf(input.Template, declared));
        await TryAsync(stack, resource, "UPDATE", async () =>
        {
            var wanted = Resolve(stack, input, declared);
            var tags = TagsOf(input, resource.Type, wanted);
            var changed = Changed(resource.Properties, wanted);
            if (resource.Type.HasTags && !SameTags(tags, resource.Tags))
                changed.Add("Tags");
            if (changed.Count == 0)
                return;
            step = new UpdateStep(resource, false, resource.PhysicalId, resource.Properties, resource.Tags);
            stack.Undo.Push(step);
            var replaces = changed.Any(resource.Type.Replaces);
            journal.Set(stack, resource, "UPDATE_IN_PROGRESS", replaces ? "Requested update requires the creation of a new physical resource; hence creating one." : null);
            await Task.Delay(s_pause, context.Time, cancellationToken).ConfigureAwait(false);
            resource.Type.Check(resource.LogicalId, wanted);
            var before = resource.Properties;
            if (replaces)
            {
                resource.Properties = wanted;
                await resource.Type.CreateAsync(Work(stack, resource, wanted, tags, id => Made(stack, resource, id, true), cancellationToken)).ConfigureAwait(false);
            }
            else
            {
                await resource.Type.UpdateAsync(Work(stack, resource, wanted, tags, id => Made(stack, resource, id, false), cancellationToken), before, changed).ConfigureAwait(false);
                resource.Properties = wanted;
            }
            resource.Tags = tags;
            journal.Set(stack, resource, "UPDATE_COMPLETE");
        }).ConfigureAwait(false);
        return step;
    }

    /// <summary>Takes a step of a failed update back.</summary>
    /// <exception cref="StepFailure">It could not be.</exception>
    public async Task UndoAsync(Stack stack, UpdateStep step, CancellationToken cancellationToken)
    {
        var resource = step.Resource;
        if (step.IsNew)
            return;
        await TryAsync(stack, resource, "UPDATE", async () =>
        {
            journal.Set(stack, resource, "UPDATE_IN_PROGRESS");
            await Task.Delay(s_pause, context.Time, cancellationToken).ConfigureAwait(false);
            if (resource.PhysicalId == step.PhysicalIdBefore)
            {
                var changed = Changed(resource.Properties, step.PropertiesBefore);
                changed.UnionWith(Changed(step.PropertiesBefore, resource.Properties));
                if (!SameTags(resource.Tags, step.TagsBefore) || resource.Status.EndsWith("FAILED", StringComparison.Ordinal))
                    changed.Add("Tags");
                await resource.Type.UpdateAsync(Work(stack, resource, step.PropertiesBefore, step.TagsBefore, id => Made(stack, resource, id, false), cancellationToken), resource.Properties, changed).ConfigureAwait(false);
            }
            (resource.PhysicalId, resource.Properties, resource.Tags) = (step.PhysicalIdBefore, step.PropertiesBefore, step.TagsBefore);
            journal.Set(stack, resource, "UPDATE_COMPLETE");
        }).ConfigureAwait(false);
    }

    /// <summary>Removes a resource, or leaves it where its policy says so.</summary>
    /// <exception cref="StepFailure">It could not be removed.</exception>
    public async Task RemoveAsync(Stack stack, StackResource resource, CancellationToken cancellationToken)
    {
        if (resource.PhysicalId is null)
        {
            context.Model.Change(_ => resource.Status = "DELETE_COMPLETE");
            return;
        }
        if (resource.DeletionPolicy is "Retain")
        {
            journal.Set(stack, resource, "DELETE_SKIPPED");
            return;
        }
        await TryAsync(stack, resource, "DELETE", async () =>
        {
            journal.Set(stack, resource, "DELETE_IN_PROGRESS");
            await Task.Delay(s_pause, context.Time, cancellationToken).ConfigureAwait(false);
            await resource.Type.DeleteAsync(Work(stack, resource, resource.Properties, resource.Tags, _ => { }, cancellationToken)).ConfigureAwait(false);
            journal.Set(stack, resource, "DELETE_COMPLETE");
        }).ConfigureAwait(false);
    }

    /// <summary>Names of top-level properties that differ; Tags are compared by what they come to.</summary>
    public static HashSet<string> Changed(TemplateNode.Map before, TemplateNode.Map after) =>
        before.Members.Keys.Union(after.Members.Keys).Where(k => k != "Tags" && !TemplateNode.Same(before[k], after[k])).ToHashSet(StringComparer.Ordinal);

    public static bool SameTags(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) => a.Count == b.Count && a.All(t => b.GetValueOrDefault(t.Key) == t.Value);

    /// <summary>The resource's own tags over the stack's.</summary>
    public static IReadOnlyDictionary<string, string> TagsOf(StackInput input, ResourceType type, TemplateNode.Map properties)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!type.HasTags)
            return tags;
        foreach (var (key, value) in input.Tags)
            tags[key] = value;
        foreach (var tag in properties["Tags"]?.Items ?? [])
            tags[tag.Member("Key")?.Value ?? throw Template.Wrong("Properties validation failed: #/Tags: required key [Key] not found")] = tag.Member("Value")?.Value ?? "";
        return tags;
    }

    private TemplateNode.Map Resolve(Stack stack, StackInput input, TemplateResource declared) => (TemplateNode.Map)new TemplateFunctions(new StackScope(context, stack, input)).Resolve(declared.Properties)!;

    private ResourceWork Work(Stack stack, StackResource resource, TemplateNode.Map properties, IReadOnlyDictionary<string, string> tags, Action<string> made, CancellationToken cancellationToken) =>
        new(context, calls, stack, resource, properties, tags, made, cancellationToken);

    private void Made(Stack stack, StackResource resource, string physicalId, bool isNew)
    {
        context.Model.Change(m =>
        {
            resource.PhysicalId = physicalId;
            if (resource.Type.HasTags && resource.Type.Find(m, resource) is { } found)
            {
                // AWS's own tags, which nobody else can put.
                found.Tags["aws:cloudformation:stack-name"] = stack.Name;
                found.Tags["aws:cloudformation:stack-id"] = stack.Id;
                found.Tags["aws:cloudformation:logical-id"] = resource.LogicalId;
            }
            return 0;
        });
        if (isNew)
            journal.Set(stack, resource, resource.Status, "Resource creation Initiated");
    }

    private async Task TryAsync(Stack stack, StackResource resource, string operation, Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (Exception error) when (error is AwsError or HandlerError or LabException or FormatException)
        {
            journal.Set(stack, resource, $"{operation}_FAILED", error.Message);
            throw new StepFailure(resource, error);
        }
    }
}

/// <summary>A resource could not be made, changed or removed; its state and event say why.</summary>
internal sealed class StepFailure(StackResource resource, Exception inner) : Exception(inner.Message, inner)
{
    public StackResource Resource => resource;
}
