using System.Text.Json;
using System.Text.RegularExpressions;

namespace Fumidai.Lab;

/// <summary>StartSession, ResumeSession, TerminateSession, DescribeSessions.</summary>
internal sealed partial class SessionOperations(LabContext context, SessionTable sessions, ControlChannels controls, InstanceInformation instances, StartThrottle throttle)
{
    public async Task<AwsAnswer> StartAsync(AwsCall call, JsonBody body)
    {
        throttle.Take(call.Caller.Account);
        var target = Limited(body.Required("Target"), "target", 1, 400);
        var documentName = body.Text("DocumentName");
        if (documentName is not null && !DocumentName().IsMatch(documentName))
            throw new AwsError("ValidationException", $"1 validation error detected: Value '{documentName}' at 'documentName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_\\-.:/]{{3,128}}$");
        var reason = body.Text("Reason") is { } given ? Limited(given, "reason", 1, 256) : null;
        var document = SessionDocuments.Fill(documentName, Parameters(call.Json!.Value));
        if (!instances.IsConnected(target, call.Caller.Account, call.Region))
            throw new AwsError("TargetNotConnected", $"{target} is not connected.");
        var session = sessions.Create(call.Caller, call.Region, target, document, reason);
        await controls.OfferAsync(session).ConfigureAwait(false);
        return Ticket(session);
    }

    public AwsAnswer Resume(AwsCall call, JsonBody body)
    {
        var id = body.Required("SessionId");
        if (Own(call, id) is not { IsOver: false } session)
            throw new AwsError("DoesNotExistException", $"Session {id} does not exist or is already terminated.");
        return Ticket(session);
    }

    public AwsAnswer Terminate(AwsCall call, JsonBody body)
    {
        var id = body.Required("SessionId");
        // A session that is over, or never was, is answered all the same: the operation models no error but the service's own.
        Own(call, id)?.End("");
        return JsonBody.Write(json => json.WriteString("SessionId", id));
    }

    public AwsAnswer Describe(AwsCall call, JsonBody body)
    {
        var isActive = body.Required("State") switch
        {
            "Active" => true,
            "History" => false,
            var other => throw new AwsError("ValidationException", $"1 validation error detected: Value '{other}' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]"),
        };
        var found = sessions.All.Where(session => session.IsOver != isActive && session.Order.Owner.Account == call.Caller.Account && session.Order.Region == call.Region).ToList();
        foreach (var filter in body.Structures("Filters"))
        {
            var value = filter.Required("value");
            Func<RelaySession, bool> matches = filter.Required("key") switch
            {
                "Target" => session => session.Order.Target == value,
                "Owner" => session => session.Order.Owner.Arn == value,
                "SessionId" => session => session.Order.Id == value,
                "Status" => session => Status(session) == value,
                "InvokedAfter" => session => session.Order.StartedAt > Instant(value),
                "InvokedBefore" => session => session.Order.StartedAt < Instant(value),
                var key => throw new AwsError("InvalidFilterKey", $"The filter key {key} is not valid."),
            };
            found.RemoveAll(session => !matches(session));
        }
        var (page, next) = Paging.Cut(found, body.Text("NextToken"), body.Number("MaxResults") ?? 50, static () => new("InvalidNextToken", "The specified token is not valid."));
        return JsonBody.Write(json =>
        {
            json.WriteStartArray("Sessions");
            foreach (var session in page)
            {
                json.WriteStartObject();
                json.WriteString("SessionId", session.Order.Id);
                json.WriteString("Target", session.Order.Target);
                json.WriteString("Status", Status(session));
                json.WriteNumber("StartDate", JsonBody.Epoch(session.Order.StartedAt));
                if (session.EndedAt is { } ended)
                    json.WriteNumber("EndDate", JsonBody.Epoch(ended));
                json.WriteString("DocumentName", session.Order.Document.Name);
                json.WriteString("Owner", session.Order.Owner.Arn);
                if (session.Order.Reason is { } reason)
                    json.WriteString("Reason", reason);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (next is not null)
                json.WriteString("NextToken", next);
        });
    }

    /// <summary>The instance and the document; AWS's own documents have an empty account (aws-facts §2.5).</summary>
    public IReadOnlyList<PolicyResource> ResourcesOfStart(AwsCall call)
    {
        var target = call.Json!.Value.Text("Target") ?? "";
        var tags = context.Model.Read(model => model.Instances.GetValueOrDefault(target)?.Tags.ToDictionary(tag => "ssm:resourceTag/" + tag.Key, tag => tag.Value, StringComparer.Ordinal)) ?? [];
        var instance = new PolicyResource($"arn:aws:ec2:{call.Region}:{call.Caller.Account}:instance/{target}", tags);
        var named = call.Json!.Value.Text("DocumentName");
        // Without a name the document is looked at only where the policy asks for it.
        tags["ssm:SessionDocumentAccessCheck"] = named is null ? "false" : "true";
        return named is null ? [instance] : [instance, new(PublicDocuments.Arn(call.Region, named), new Dictionary<string, string> { ["ssm:SessionDocumentAccessCheck"] = "true" })];
    }

    /// <summary>Session Manager tags each session with the caller's user id (aws-facts §2.5).</summary>
    public IReadOnlyList<PolicyResource> ResourcesOfSession(AwsCall call)
    {
        var id = call.Json!.Value.Text("SessionId") ?? "";
        var owner = sessions.Find(id)?.Order.Owner;
        return [new($"arn:aws:ssm:{call.Region}:{call.Caller.Account}:session/{id}", owner is null ? null : new Dictionary<string, string> { ["ssm:resourceTag/aws:ssmmessages:session-id"] = owner.UserId })];
    }

    private RelaySession? Own(AwsCall call, string id) => sessions.Find(id) is { } session && session.Order.Owner.Account == call.Caller.Account && session.Order.Region == call.Region ? session : null;

    private AwsAnswer Ticket(RelaySession session)
    {
        var token = sessions.Issue(session, RelayRole.Client);
        var url = sessions.StreamUrl(session);
        return JsonBody.Write(json =>
        {
            json.WriteString("SessionId", session.Order.Id);
            json.WriteString("TokenValue", token);
            json.WriteString("StreamUrl", url);
        });
    }

    private static string Status(RelaySession session) => session.IsOver ? "Terminated" : session.HasClient ? "Connected" : "Connecting";

    private static DateTimeOffset Instant(string text) => DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var instant)
        ? instant
        : throw new AwsError("ValidationException", $"The filter value {text} is not a time.");

    private static string Limited(string value, string name, int least, int most) => value.Length >= least && value.Length <= most
        ? value
        : throw new AwsError("ValidationException", $"1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must have length between {least} and {most}");

    private static Dictionary<string, IReadOnlyList<string>> Parameters(JsonElement body)
    {
        var parameters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (!body.TryGetProperty("Parameters", out var given) || given.ValueKind == JsonValueKind.Null)
            return parameters;
        if (given.ValueKind != JsonValueKind.Object)
            throw new AwsError("SerializationException", "Parameters is a map of lists of strings.");
        foreach (var parameter in given.EnumerateObject())
        {
            if (parameter.Value.ValueKind != JsonValueKind.Array || parameter.Value.EnumerateArray().Any(value => value.ValueKind != JsonValueKind.String))
                throw new AwsError("SerializationException", $"Parameter {parameter.Name} is not a list of strings.");
            parameters[parameter.Name] = [.. parameter.Value.EnumerateArray().Select(value => value.GetString()!)];
        }
        return parameters;
    }

    [GeneratedRegex(@"^[a-zA-Z0-9_\-.:/]{3,128}$", RegexOptions.CultureInvariant)]
    private static partial Regex DocumentName();
}
