using System.Net;

namespace Fumidai.Lab;

/// <summary>One thing a call touches, with the condition keys that belong to it (e.g. <c>ssm:resourceTag/KEY</c>).</summary>
internal sealed record PolicyResource(string Arn, IReadOnlyDictionary<string, string>? Context = null)
{
    /// <summary>For calls that AWS does not restrict to resources.</summary>
    public static readonly IReadOnlyList<PolicyResource> Any = [new("*")];
}

/// <summary>Where a call came from, for conditions.</summary>
internal sealed record PolicyOrigin(string Region, IPAddress? SourceAddress, bool IsSecureTransport);

/// <summary>What the policies say.</summary>
internal enum Permission
{
    Allowed,
    /// <summary>No statement allows it.</summary>
    ImplicitlyDenied,
    /// <summary>A statement denies it.</summary>
    ExplicitlyDenied,
}

/// <summary>
/// Evaluates identity policies: deny by default, an explicit deny wins. Lab only: a user or role without any policy may do everything, so that a
/// lab serves from the first call; AWS would refuse it.
/// </summary>
internal sealed class Permissions(LabModel model)
{
    /// <summary>Demands all that a call needs: its own action on what it touches, and what is done on the caller's behalf.</summary>
    public void Demand(IAwsService service, AwsCall call, PolicyOrigin origin)
    {
        foreach (var resource in service.ResourcesOf(call))
            Demand(call.Caller, $"{service.PolicyPrefix}:{call.Operation}", resource, origin, service.Protocol);
        foreach (var (action, resource) in service.AlsoDemanded(call))
            Demand(call.Caller, action, resource, origin, service.Protocol);
    }

    /// <summary>Throws what AWS answers in this protocol's family when the caller may not.</summary>
    public void Demand(Caller caller, string action, PolicyResource resource, PolicyOrigin origin, AwsProtocol protocol)
    {
        var permission = Evaluate(caller, action, resource, origin);
        if (permission == Permission.Allowed)
            return;
        var why = permission == Permission.ExplicitlyDenied ? "with an explicit deny in an identity-based policy" : $"because no identity-based policy allows the {action} action";
        var on = resource.Arn == "*" ? "" : $" on resource: {resource.Arn}";
        throw AuthErrors.Of(AuthFault.NotAllowed, protocol, $"User: {caller.Arn} is not authorized to perform: {action}{on} {why}");
    }

    /// <summary>What the caller's policies say of one action on one resource.</summary>
    public Permission Evaluate(Caller caller, string action, PolicyResource resource, PolicyOrigin origin)
    {
        var (documents, userName) = model.Read(m => PoliciesOf(m, caller));
        if (documents.Count == 0)
            return Permission.Allowed;
        var context = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["aws:userid"] = caller.UserId,
            ["aws:PrincipalArn"] = caller.Arn,
            ["aws:PrincipalAccount"] = caller.Account,
            ["aws:RequestedRegion"] = origin.Region,
            ["aws:SecureTransport"] = origin.IsSecureTransport ? "true" : "false",
        };
        if (userName is not null)
            context["aws:username"] = userName;
        if (origin.SourceAddress is { } source)
            context["aws:SourceIp"] = source.ToString();
        foreach (var (key, value) in resource.Context ?? new Dictionary<string, string>())
            context[key] = value;
        return Evaluate(documents.SelectMany(d => PolicyDocument.Parse(d).Statements), action, resource.Arn, context);
    }

    /// <summary>Whether a role's own policies allow an action on everything; used for instances' agents. A role without policies allows them nothing.</summary>
    public static bool RoleAllows(Role role, string action)
    {
        var documents = DocumentsOf(role.InlinePolicies, role.AttachedPolicyArns);
        return Evaluate(documents.SelectMany(d => PolicyDocument.Parse(d).Statements), action, "*", new Dictionary<string, string>()) == Permission.Allowed;
    }

    /// <summary>Whether one document (an endpoint's policy) allows an action on everything.</summary>
    public static bool PolicyAllows(string document, string action) =>
        Evaluate(PolicyDocument.Parse(document).Statements, action, "*", new Dictionary<string, string>()) == Permission.Allowed;

    /// <summary>Whether a role's trust policy lets this principal assume it.</summary>
    public static bool Trusts(Role role, Caller caller)
    {
        var isTrusted = false;
        foreach (var statement in PolicyDocument.Parse(role.TrustPolicy).Statements)
        {
            var root = $"arn:aws:iam::{caller.Account}:root";
            var names = statement.Principals?.Any(p => p == "*" || p == caller.Account || p == root || p == caller.Arn) ?? false;
            if (!names || statement.Actions?.Any(a => Wildcard.Matches(a, "sts:AssumeRole", StringComparison.OrdinalIgnoreCase)) != true)
                continue;
            if (!statement.Conditions.All(c => PolicyConditions.Holds(c, null, v => v)))
                continue;
            if (!statement.IsAllow)
                return false;
            isTrusted = true;
        }
        return isTrusted;
    }

    private static Permission Evaluate(IEnumerable<PolicyStatement> statements, string action, string resource, IReadOnlyDictionary<string, string> context)
    {
        string Expand(string text)
        {
            foreach (var (key, value) in context)
                text = text.Replace($"${{{key}}}", value, StringComparison.OrdinalIgnoreCase);
            return text;
        }

        bool Any(IReadOnlyList<string> patterns, string text, StringComparison comparison) => patterns.Any(p => Wildcard.Matches(Expand(p), text, comparison));

        var permission = Permission.ImplicitlyDenied;
        foreach (var statement in statements)
        {
            var isAction = statement.Actions is { } actions ? Any(actions, action, StringComparison.OrdinalIgnoreCase) : !Any(statement.NotActions ?? [], action, StringComparison.OrdinalIgnoreCase);
            var isResource = statement.Resources is { } resources ? Any(resources, resource, StringComparison.Ordinal) : !Any(statement.NotResources ?? [], resource, StringComparison.Ordinal);
            if (!isAction || !isResource || !statement.Conditions.All(c => PolicyConditions.Holds(c, context.GetValueOrDefault(c.Key), Expand)))
                continue;
            if (!statement.IsAllow)
                return Permission.ExplicitlyDenied;
            permission = Permission.Allowed;
        }
        return permission;
    }

    private static (IReadOnlyList<string> Documents, string? UserName) PoliciesOf(LabModel model, Caller caller)
    {
        if (model.Users.Values.FirstOrDefault(u => u.Id == caller.UserId) is { } user)
            return (DocumentsOf(user.InlinePolicies, user.AttachedPolicyArns), user.Name);
        var roleId = caller.UserId.Split(':')[0];
        return model.Roles.Values.FirstOrDefault(r => r.Id == roleId) is { } role ? (DocumentsOf(role.InlinePolicies, role.AttachedPolicyArns), null) : ([], null);
    }

    private static List<string> DocumentsOf(Dictionary<string, string> inline, List<string> attached) =>
        [.. inline.Values, .. attached.Select(ManagedPolicies.Find).OfType<string>()];
}
