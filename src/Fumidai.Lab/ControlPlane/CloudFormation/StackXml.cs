namespace Fumidai.Lab;

/// <summary>Stacks, events, resources and change sets as CloudFormation writes them.</summary>
internal static class StackXml
{
    public static void Stack(XmlText x, Stack s)
    {
        x.Element("StackId", s.Id).Element("StackName", s.Name).Element("Description", s.Input?.Template.Description).Element("CreationTime", s.CreatedAt);
        Time(x, "LastUpdatedTime", s.UpdatedAt);
        Time(x, "DeletionTime", s.DeletedAt);
        x.Element("StackStatus", s.Status).Element("StackStatusReason", s.StatusReason).Element("DisableRollback", s.IsRollbackDisabled).Element("EnableTerminationProtection", s.IsTerminationProtected)
            .Texts("NotificationARNs", "member", []).Group("RollbackConfiguration", _ => { })
            .Group("DriftInformation", d =>
            {
                d.Element("StackDriftStatus", s.DriftStatus);
                Time(d, "LastCheckTimestamp", s.DriftCheckedAt);
            });
        if (s.Input is { } input)
        {
            Parameters(x, input);
            x.Texts("Capabilities", "member", input.Capabilities);
        }
        x.List("Outputs", "member", s.Outputs, (o, output) => o.Element("OutputKey", output.Key).Element("OutputValue", output.Value).Element("Description", output.Description));
        Tags(x, s.Tags);
    }

    public static void Summary(XmlText x, Stack s)
    {
        x.Element("StackId", s.Id).Element("StackName", s.Name).Element("TemplateDescription", s.Input?.Template.Description).Element("CreationTime", s.CreatedAt);
        Time(x, "LastUpdatedTime", s.UpdatedAt);
        Time(x, "DeletionTime", s.DeletedAt);
        x.Element("StackStatus", s.Status).Element("StackStatusReason", s.StatusReason).Group("DriftInformation", d => d.Element("StackDriftStatus", s.DriftStatus));
    }

    public static void Event(XmlText x, Stack s, StackEvent e) => x
        .Element("StackId", s.Id).Element("EventId", e.Id).Element("StackName", s.Name).Element("LogicalResourceId", e.LogicalId).Element("PhysicalResourceId", e.PhysicalId).Element("ResourceType", e.Type)
        .Element("Timestamp", e.Time).Element("ResourceStatus", e.Status).Element("ResourceStatusReason", e.Reason).Element("ResourceProperties", e.Properties).Element("ClientRequestToken", e.Token);

    public static void Resource(XmlText x, Stack s, StackResource r) => Drift(x
        .Element("StackName", s.Name).Element("StackId", s.Id).Element("LogicalResourceId", r.LogicalId).Element("PhysicalResourceId", r.PhysicalId).Element("ResourceType", r.Type.Name)
        .Element("Timestamp", r.ChangedAt).Element("ResourceStatus", r.Status).Element("ResourceStatusReason", r.StatusReason), r);

    public static void ResourceSummary(XmlText x, StackResource r) => Drift(x
        .Element("LogicalResourceId", r.LogicalId).Element("PhysicalResourceId", r.PhysicalId).Element("ResourceType", r.Type.Name).Element("LastUpdatedTimestamp", r.ChangedAt)
        .Element("ResourceStatus", r.Status).Element("ResourceStatusReason", r.StatusReason), r);

    public static void ResourceDrift(XmlText x, Stack s, StackResource r)
    {
        x.Element("StackId", s.Id).Element("LogicalResourceId", r.LogicalId).Element("PhysicalResourceId", r.PhysicalId).Element("ResourceType", r.Type.Name)
            .Element("ExpectedProperties", r.Properties.ToJson()).Element("ActualProperties", r.Actual?.ToJson())
            .List("PropertyDifferences", "member", r.Drifts, (d, drift) => d.Element("PropertyPath", drift.Path).Element("ExpectedValue", drift.Expected ?? "null").Element("ActualValue", drift.Actual ?? "null").Element("DifferenceType", drift.Kind))
            .Element("StackResourceDriftStatus", r.DriftStatus);
        Time(x, "Timestamp", r.DriftCheckedAt);
    }

    public static void ChangeSetSummary(XmlText x, Stack s, ChangeSet c) => x
        .Element("StackId", s.Id).Element("StackName", s.Name).Element("ChangeSetId", c.Id).Element("ChangeSetName", c.Name).Element("ExecutionStatus", c.ExecutionStatus).Element("Status", c.Status)
        .Element("StatusReason", c.StatusReason).Element("CreationTime", c.CreatedAt).Element("Description", c.Description);

    public static void Change(XmlText x, ResourceChange c) => x.Element("Type", "Resource").Group("ResourceChange", r => r
        .Element("Action", c.Action).Element("LogicalResourceId", c.LogicalId).Element("PhysicalResourceId", c.PhysicalId).Element("ResourceType", c.Type).Element("Replacement", c.Replacement)
        .Texts("Scope", "member", c.Scope).List("Details", "member", c.Details, (d, detail) => d
            .Group("Target", t => t.Element("Attribute", detail.Attribute).Element("Name", detail.Name).Element("RequiresRecreation", detail.Recreation))
            .Element("Evaluation", detail.Evaluation).Element("ChangeSource", detail.Source).Element("CausingEntity", detail.Cause)));

    public static void Parameters(XmlText x, StackInput input) => x.List("Parameters", "member", input.Template.Parameters, (p, declared) => p.Element("ParameterKey", declared.Name)
        .Element("ParameterValue", declared.IsHidden ? "****" : input.Parameters[declared.Name]).Element("ResolvedValue", input.Resolved.GetValueOrDefault(declared.Name)));

    public static void Tags(XmlText x, IReadOnlyDictionary<string, string> tags) => x.List("Tags", "member", tags, (t, tag) => t.Element("Key", tag.Key).Element("Value", tag.Value));

    private static void Drift(XmlText x, StackResource r) => x.Group("DriftInformation", d => d.Element("StackResourceDriftStatus", r.DriftStatus));

    private static void Time(XmlText x, string name, DateTimeOffset? time)
    {
        if (time is { } known)
            x.Element(name, known);
    }
}
