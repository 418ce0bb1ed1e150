namespace Fumidai.Lab;

/// <summary>What names mean in a stack as it stands: references to resources give what was made.</summary>
internal sealed class StackScope(LabContext context, Stack stack, StackInput input) : ITemplateScope
{
    public string StackName => stack.Name;
    public string StackId => stack.Id;
    public string Account => stack.Account;
    public string Region => stack.Region;
    public Template Template => input.Template;

    public string Parameter(string name) => input.Resolved.GetValueOrDefault(name) ?? input.Parameters[name];

    public string Reference(string logicalId) => context.Model.Read(m => There(logicalId) is var resource ? resource.Type.Reference(m, resource) : "");

    public TemplateNode Attribute(string logicalId, string attribute)
    {
        var value = context.Model.Read(m => There(logicalId) is var resource ? resource.Type.Attribute(m, resource, attribute) : null)
            ?? throw Template.Wrong($"Attribute '{attribute}' does not exist (resource {logicalId})");
        return attribute is "NetworkInterfaceIds" or "DnsEntries" ? new TemplateNode.Sequence([.. value.Split(',').Select(v => new TemplateNode.Scalar(v))]) : new TemplateNode.Scalar(value);
    }

    private StackResource There(string logicalId) => stack.Resources.GetValueOrDefault(logicalId) is { PhysicalId: not null } resource
        ? resource
        : throw Template.Wrong($"Template format error: Unresolved resource dependencies [{logicalId}] in the Resources block of the template");
}

/// <summary>
/// What names mean in a stack to come: a resource that is not there yet, or will be replaced, is not known. With it a change set finds what
/// differs, and mistakes are found before anything is made.
/// </summary>
internal sealed class PlanScope(LabContext context, Stack stack, StackInput input, IReadOnlySet<string> unknown) : ITemplateScope
{
    /// <summary>Stands for what is known only afterwards.</summary>
    public const string Unknown = "{{changeSet:KNOWN_AFTER_APPLY}}";

    private readonly StackScope _now = new(context, stack, input);

    public string StackName => stack.Name;
    public string StackId => stack.Id;
    public string Account => stack.Account;
    public string Region => stack.Region;
    public Template Template => input.Template;

    public string Parameter(string name) => _now.Parameter(name);

    public string Reference(string logicalId) => IsKnown(logicalId) ? _now.Reference(logicalId) : Unknown;

    public TemplateNode Attribute(string logicalId, string attribute) => IsKnown(logicalId) ? _now.Attribute(logicalId, attribute) : new TemplateNode.Scalar(Unknown);

    private bool IsKnown(string logicalId) => !unknown.Contains(logicalId) && context.Model.Read(m => stack.Resources.GetValueOrDefault(logicalId) is { IsThere: true } resource
        && (resource.Type.Find(m, resource) is not null || resource.Type.Current(m, resource) is not null || !resource.Type.KnowsDrift));
}
