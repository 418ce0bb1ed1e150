namespace Fumidai.Lab;

/// <summary>Stacks and change sets, found as calls name them.</summary>
internal sealed class StackTable(LabContext context)
{
    public IReadOnlyList<Stack> Mine(AwsCall call) => context.Model.Read(m => m.Stacks.Values.Where(s => s.Account == call.Caller.Account && s.Region == call.Region).OrderByDescending(s => s.CreatedAt).ToList());

    /// <summary>A stack by name or id; a deleted one answers by its id only. Null: none.</summary>
    public Stack? Find(AwsCall call, string nameOrId) => nameOrId.StartsWith("arn:", StringComparison.Ordinal)
        ? Mine(call).FirstOrDefault(s => s.Id == nameOrId)
        : Mine(call).FirstOrDefault(s => s.Name == nameOrId && s.Status != "DELETE_COMPLETE");

    public Stack Demand(AwsCall call, string nameOrId) => Find(call, nameOrId) ?? throw Missing(nameOrId);

    public static AwsError Missing(string nameOrId) => Template.Wrong($"Stack with id {nameOrId} does not exist");

    public Stack New(AwsCall call, QueryForm form, string status)
    {
        var name = form.Required("StackName");
        if (name.Length > 128 || !char.IsAsciiLetter(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            throw Template.Wrong($"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*");
        var stack = new Stack
        {
            Id = $"arn:aws:cloudformation:{call.Region}:{call.Caller.Account}:stack/{name}/{Guid.NewGuid()}",
            Name = name,
            Account = call.Caller.Account,
            Region = call.Region,
            Status = status,
            Caller = call.Caller,
            CreatedAt = context.Time.GetUtcNow(),
        };
        return context.Model.Change(m => m.Stacks[stack.Id] = stack);
    }

    /// <summary>A change set by id, or by its name and the stack's.</summary>
    public (Stack Stack, ChangeSet Set) DemandChangeSet(AwsCall call, QueryForm form)
    {
        var name = form.Required("ChangeSetName");
        var byId = name.StartsWith("arn:", StringComparison.Ordinal);
        if (!byId && form.Text("StackName") is null)
            throw Template.Wrong("StackName must be specified if ChangeSetName is not specified as an ARN.");
        var stacks = byId ? Mine(call) : [Demand(call, form.Required("StackName"))];
        return context.Model.Read(_ => stacks.SelectMany(s => s.ChangeSets, (s, c) => (Stack: s, Set: c)).FirstOrDefault(c => byId ? c.Set.Id == name : c.Set.Name == name)) is { Set: not null } found
            ? found
            : throw new AwsError("ChangeSetNotFound", $"ChangeSet [{name}] does not exist", 404);
    }
}
