namespace Fumidai.Lab;

/// <summary>
/// SimulatePrincipalPolicy for the users and roles of the caller's account: each action on each resource, by the same evaluation that real calls
/// meet. A user without any policy counts as allowed, as everywhere in the lab.
/// </summary>
internal static class PolicySimulation
{
    public static AwsAnswer Answer(LabContext context, AwsCall call, QueryForm form)
    {
        var source = form.Required("PolicySourceArn");
        var actions = form.Texts("ActionNames.member");
        var resources = form.Texts("ResourceArns.member") is { Count: > 0 } named ? named : ["*"];
        var name = source[(source.LastIndexOf('/') + 1)..];
        var (user, role) = context.Model.Read(m => (m.Users.GetValueOrDefault(LabModel.Key(call.Caller.Account, name)), m.FindRole(call.Caller.Account, name)));
        Func<string, string, bool> allows;
        if (source.Contains(":user/", StringComparison.Ordinal) && user is not null)
        {
            var caller = new Caller(call.Caller.Account, source, user.Id, user.Name);
            allows = (action, resource) => context.Permissions.Evaluate(caller, action, new PolicyResource(resource), new PolicyOrigin(call.Region, null, false)) == Permission.Allowed;
        }
        else if (source.Contains(":role/", StringComparison.Ordinal) && role is not null)
        {
            allows = (action, _) => Permissions.RoleAllows(role, action);
        }
        else
        {
            throw new AwsError("NoSuchEntity", $"The entity {source} cannot be found.", 404);
        }
        var results = actions.SelectMany(_ => resources, (action, resource) => (action, resource, allows(action, resource))).ToList();
        return new XmlText().List("EvaluationResults", "member", results, (x, r) => x.Element("EvalActionName", r.action).Element("EvalResourceName", r.resource).Element("EvalDecision", r.Item3 ? "allowed" : "implicitDeny"))
            .Element("IsTruncated", false).ToAnswer();
    }
}
