namespace Fumidai.Lab;

/// <summary>What a template would change of a stack.</summary>
internal sealed class ChangePlan(LabContext context, Stack stack, StackInput input)
{
    /// <exception cref="AwsError">A function fails with these values.</exception>
    public IReadOnlyList<ResourceChange> Make()
    {
        var changes = new List<ResourceChange>();
        // New and replaced ones are unknown to those that refer to them; order brings them first.
        var unknown = new HashSet<string>(StringComparer.Ordinal);
        var functions = new TemplateFunctions(new PlanScope(context, stack, input, unknown));
        var wanted = input.Template.Order().Select(id => input.Template.Resources[id]).Where(r => r.Condition is null || functions.Condition(r.Condition)).ToList();
        foreach (var declared in wanted)
        {
            var type = ResourceTypes.Find(declared.Type)!;
            var properties = (TemplateNode.Map)functions.Resolve(declared.Properties)!;
            var present = context.Model.Read(_ => stack.Resources.GetValueOrDefault(declared.LogicalId) is { IsThere: true } resource && resource.Type == type ? resource : null);
            if (present is null)
            {
                unknown.Add(declared.LogicalId);
                changes.Add(new ResourceChange("Add", declared.LogicalId, null, declared.Type, null, [], []));
                continue;
            }
            var changed = ResourceSteps.Changed(present.Properties, properties);
            var details = changed.Order(StringComparer.Ordinal).Select(name => Detail(declared, type, properties, name)).ToList();
            if (type.HasTags && !ResourceSteps.SameTags(ResourceSteps.TagsOf(input, type, properties), present.Tags))
                details.Add(new ChangeDetail("Tags", null, "Never", "Static", "DirectModification", null));
            if (details.Count == 0)
                continue;
            var replaces = details.Where(d => d.Recreation == "Always").ToList();
            if (replaces.Count > 0)
                unknown.Add(declared.LogicalId);
            changes.Add(new ResourceChange("Modify", declared.LogicalId, present.PhysicalId, declared.Type, replaces.Count == 0 ? "False" : replaces.All(d => d.Evaluation == "Dynamic") ? "Conditional" : "True",
                [.. details.Select(d => d.Attribute).Distinct()], details));
        }
        var names = wanted.Select(w => (w.LogicalId, w.Type)).ToHashSet();
        changes.AddRange(context.Model.Read(_ => stack.Resources.Values.Where(r => r.IsThere && !names.Contains((r.LogicalId, r.Type.Name))).Reverse()
            .Select(r => new ResourceChange("Remove", r.LogicalId, r.PhysicalId, r.Type.Name, null, [], [])).ToList()));
        foreach (var (_, output) in input.Template.Outputs.Members)
        {
            if (output.Member("Condition")?.Value is not { } condition || functions.Condition(condition))
                _ = functions.Resolve(output.Member("Value")!);
        }
        return changes;
    }

    private ChangeDetail Detail(TemplateResource declared, ResourceType type, TemplateNode.Map properties, string name)
    {
        var isDynamic = properties[name]?.ToJson().Contains(PlanScope.Unknown, StringComparison.Ordinal) == true;
        var written = declared.Properties[name];
        var before = stack.Input?.Template.Resources.GetValueOrDefault(declared.LogicalId)?.Properties[name];
        var (source, cause) = isDynamic ? ("ResourceReference", null) : ("DirectModification", (string?)null);
        if (!isDynamic && written is not null && TemplateNode.Same(written, before) && Parameter(written) is { } parameter)
            (source, cause) = ("ParameterReference", parameter);
        return new ChangeDetail("Properties", name, type.Replaces(name) ? "Always" : "Never", isDynamic ? "Dynamic" : "Static", source, cause);
    }

    /// <summary>The changed parameter that a piece refers to.</summary>
    private string? Parameter(TemplateNode node) => node switch
    {
        TemplateNode.Sequence list => list.Items.Select(Parameter).FirstOrDefault(p => p is not null),
        TemplateNode.Map map => map.Members.Select(m => m.Key == "Ref" && m.Value.Value is { } name && input.Parameters.GetValueOrDefault(name) is { } value && stack.Input?.Parameters.GetValueOrDefault(name) != value ? name : Parameter(m.Value)).FirstOrDefault(p => p is not null),
        _ => null,
    };
}
