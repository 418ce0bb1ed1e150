namespace Fumidai.Lab;

/// <summary>Roles and instance profiles made and removed.</summary>
internal sealed class RoleLifeCalls(LabContext context)
{
    private static readonly AwsAnswer s_done = new XmlText().ToAnswer();

    public static string ArnOf(Role role) => $"arn:aws:iam::{role.Account}:role{role.Path}{role.Name}";

    public AwsAnswer CreateRole(LabModel m, AwsCall call, QueryForm form)
    {
        var name = Name(form, "RoleName", 64);
        var trust = form.Required("AssumeRolePolicyDocument");
        if (PolicyDocument.Parse(trust).Statements.Any(s => s.Principals is null))
            throw new AwsError("MalformedPolicyDocument", "AssumeRole policy must contain principals.");
        if (form.Text("PermissionsBoundary") is not null)
            throw new AwsError("InvalidInput", "Permissions boundaries are not modelled by this lab.");
        if (m.FindRole(call.Caller.Account, name) is not null)
            throw new AwsError("EntityAlreadyExists", $"Role with name {name} already exists.", 409);
        var role = new Role
        {
            Id = Ids.Iam("AROA"),
            Account = call.Caller.Account,
            Region = "",
            Name = name,
            TrustPolicy = trust,
            Path = PathOf(form),
            Description = form.Text("Description"),
            MaxSessionSeconds = form.Number("MaxSessionDuration") ?? 3600,
            CreatedAt = context.Time.GetUtcNow(),
        };
        Put(role, form);
        m.Roles[LabModel.Key(role.Account, name)] = role;
        return new XmlText().Group("Role", x => x.Element("Path", role.Path).Element("RoleName", name).Element("RoleId", role.Id).Element("Arn", ArnOf(role)).Element("CreateDate", role.CreatedAt)
            .Element("AssumeRolePolicyDocument", Uri.EscapeDataString(trust))).ToAnswer();
    }

    public static AwsAnswer DeleteRole(LabModel m, Role role)
    {
        if (m.InstanceProfiles.Values.Any(p => p.Account == role.Account && p.RoleName == role.Name))
            throw Conflict("Cannot delete entity, must remove roles from instance profile first.");
        if (role.AttachedPolicyArns.Count > 0)
            throw Conflict("Cannot delete entity, must detach all policies first.");
        if (role.InlinePolicies.Count > 0)
            throw Conflict("Cannot delete entity, must delete policies first.");
        m.Roles.Remove(LabModel.Key(role.Account, role.Name));
        return s_done;
    }

    public static AwsAnswer UpdateRole(Role role, QueryForm form)
    {
        role.Description = form.Text("Description") ?? role.Description;
        role.MaxSessionSeconds = form.Number("MaxSessionDuration") ?? role.MaxSessionSeconds;
        return s_done;
    }

    public static AwsAnswer UpdateTrust(Role role, QueryForm form)
    {
        var document = form.Required("PolicyDocument");
        _ = PolicyDocument.Parse(document);
        role.TrustPolicy = document;
        return s_done;
    }

    public static AwsAnswer Tag(Role role, QueryForm form)
    {
        Put(role, form);
        return s_done;
    }

    public static AwsAnswer Untag(Role role, QueryForm form)
    {
        foreach (var key in form.Texts("TagKeys.member"))
            role.Tags.Remove(key);
        return s_done;
    }

    public static AwsAnswer ListTags(Role role) =>
        new XmlText().Element("IsTruncated", false).List("Tags", "member", role.Tags, (t, tag) => t.Element("Key", tag.Key).Element("Value", tag.Value)).ToAnswer();

    public static AwsAnswer List<T>(string name, QueryForm form, IEnumerable<T> all, Func<T, string> path, Action<XmlText, T> write)
    {
        var prefix = form.Text("PathPrefix") ?? "/";
        var (page, next) = Paging.Cut(all.Where(i => path(i).StartsWith(prefix, StringComparison.Ordinal)).ToList(), form.Text("Marker"), form.Number("MaxItems") ?? 100, () => new AwsError("InvalidInput", "The marker is invalid."));
        return new XmlText().Element("IsTruncated", next is not null).List(name, "member", page, write).Element("Marker", next).ToAnswer();
    }

    public AwsAnswer CreateProfile(LabModel m, AwsCall call, QueryForm form, Action<XmlText, LabModel, InstanceProfile> write)
    {
        var name = Name(form, "InstanceProfileName", 128);
        if (m.InstanceProfiles.Values.Any(p => p.Account == call.Caller.Account && p.Name == name))
            throw new AwsError("EntityAlreadyExists", $"Instance Profile {name} already exists.", 409);
        var profile = new InstanceProfile { Id = Ids.Iam("AIPA"), Account = call.Caller.Account, Region = "", Name = name, Path = PathOf(form), CreatedAt = context.Time.GetUtcNow() };
        Put(profile, form);
        m.InstanceProfiles[profile.Arn] = profile;
        return new XmlText().Group("InstanceProfile", x => write(x, m, profile)).ToAnswer();
    }

    public static AwsAnswer DeleteProfile(LabModel m, InstanceProfile profile)
    {
        if (profile.RoleName is not null)
            throw Conflict("Cannot delete entity, must remove roles from instance profile first.");
        m.InstanceProfiles.Remove(profile.Arn);
        return s_done;
    }

    private static void Put(Resource resource, QueryForm form)
    {
        foreach (var tag in form.Structures("Tags.member"))
        {
            var key = form.Required($"{tag}.Key");
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                throw new AwsError("InvalidInput", "System tags cannot be added/updated by requester.");
            resource.Tags[key] = form.Text($"{tag}.Value") ?? "";
        }
    }

    private static string PathOf(QueryForm form) => form.Text("Path") ?? "/";

    private static string Name(QueryForm form, string parameter, int longest)
    {
        var name = form.Required(parameter);
        return name.Length <= longest && name.All(c => char.IsAsciiLetterOrDigit(c) || "+=,.@-_".Contains(c, StringComparison.Ordinal))
            ? name
            : throw new AwsError("ValidationError", $"The specified value for {char.ToLowerInvariant(parameter[0])}{parameter[1..]} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_- and must not be longer than {longest} characters");
    }

    private static AwsError Conflict(string message) => new("DeleteConflict", message, 409);
}
