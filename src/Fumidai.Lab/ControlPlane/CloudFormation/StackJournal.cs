namespace Fumidai.Lab;

/// <summary>Sets states of stacks and their resources, and tells each as an event.</summary>
internal sealed class StackJournal(LabContext context)
{
    public const string StackType = "AWS::CloudFormation::Stack";

    public void Set(Stack stack, string status, string? reason = null) => context.Model.Change(_ =>
    {
        stack.Status = status;
        stack.StatusReason = reason;
        Add(stack, new StackEvent(Guid.NewGuid().ToString(), context.Time.GetUtcNow(), stack.Name, stack.Id, StackType, status, reason, null, stack.Token));
        return 0;
    });

    public void Set(Stack stack, StackResource resource, string status, string? reason = null, string? physicalId = null) => context.Model.Change(_ =>
    {
        resource.Status = status;
        resource.StatusReason = reason;
        resource.ChangedAt = context.Time.GetUtcNow();
        Add(stack, new StackEvent($"{resource.LogicalId}-{Guid.NewGuid()}", resource.ChangedAt, resource.LogicalId, physicalId ?? resource.PhysicalId ?? "", resource.Type.Name, status, reason,
            resource.Properties.Members.Count == 0 ? null : resource.Properties.ToJson(), stack.Token));
        return 0;
    });

    private static void Add(Stack stack, StackEvent one) => stack.Events.Add(one);
}
