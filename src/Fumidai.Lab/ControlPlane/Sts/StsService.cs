namespace Fumidai.Lab;

/// <summary>STS: who am I, and sessions (aws-facts §1.18).</summary>
internal sealed class StsService(LabContext context) : IAwsService
{
    public string SigningName => "sts";
    public AwsProtocol Protocol => AwsProtocol.Query;
    public string TargetPrefixOrVersion => "2011-06-15";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var form = QueryForm.Of(call, Protocol);
        return ValueTask.FromResult(call.Operation switch
        {
            "GetCallerIdentity" => new XmlText().Element("Arn", call.Caller.Arn).Element("UserId", call.Caller.UserId).Element("Account", call.Caller.Account).ToAnswer(),
            "AssumeRole" => AssumeRole(call, form),
            "GetSessionToken" => GetSessionToken(call, form),
            _ => throw ApiDispatch.UnknownOperation(this, call),
        });
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call) =>
        call.Operation == "AssumeRole" && call.Form!.GetValueOrDefault("RoleArn") is { } arn ? [new PolicyResource(arn)] : PolicyResource.Any;

    private AwsAnswer AssumeRole(AwsCall call, QueryForm form)
    {
        var arn = form.Required("RoleArn");
        var session = form.Required("RoleSessionName");
        if (session.Length is < 2 or > 64 || !session.All(c => char.IsAsciiLetterOrDigit(c) || "_=,.@+-".Contains(c)))
            throw new AwsError("ValidationError", $"1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*");
        if (form.Text("Policy") is not null || form.Has("PolicyArns.member"))
            throw new AwsError("ValidationError", "Session policies are not modelled by this lab.");
        var lifetime = Lifetime(form, 3600, 43_200);
        var role = context.Model.Read(m => m.Roles.Values.FirstOrDefault(r => ArnOf(r) == arn && Permissions.Trusts(r, call.Caller)))
            // A role that does not exist and one that does not trust the caller are answered alike.
            ?? throw AuthErrors.Of(AuthFault.NotAllowed, Protocol, $"User: {call.Caller.Arn} is not authorized to perform: sts:AssumeRole on resource: {arn}");
        var caller = Identities.CallerOf(role, session);
        var keys = context.Identities.Issue(caller, lifetime);
        return Credentials(new XmlText(), keys)
            .Group("AssumedRoleUser", x => x.Element("AssumedRoleId", caller.UserId).Element("Arn", caller.Arn)).ToAnswer();
    }

    private AwsAnswer GetSessionToken(AwsCall call, QueryForm form)
    {
        if (call.Caller.Arn.Contains(":assumed-role/", StringComparison.Ordinal))
            throw new AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403);
        return Credentials(new XmlText(), context.Identities.Issue(call.Caller, Lifetime(form, 43_200, 129_600))).ToAnswer();
    }

    private static TimeSpan Lifetime(QueryForm form, int usual, int most)
    {
        var seconds = form.Number("DurationSeconds") ?? usual;
        if (seconds < 900 || seconds > most)
            throw new AwsError("ValidationError", $"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and {most}");
        return TimeSpan.FromSeconds(seconds);
    }

    private static XmlText Credentials(XmlText xml, SessionKeys keys) => xml.Group("Credentials", x => x
        .Element("AccessKeyId", keys.Keys.AccessKeyId)
        .Element("SecretAccessKey", keys.Keys.SecretAccessKey)
        .Element("SessionToken", keys.Keys.SessionToken)
        .Element("Expiration", keys.Expires));

    private static string ArnOf(Role role) => $"arn:aws:iam::{role.Account}:role/{role.Name}";
}
