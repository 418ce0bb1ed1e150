using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Fumidai.Lab;

/// <summary>
/// Tells the services apart (X-Amz-Target, Action with Version, credential scope), proves the signature, demands permission, has the service
/// answer, frames the answer. An operation nobody emulates is refused in the words of its protocol family.
/// </summary>
internal sealed class ApiDispatch(LabContext context, IReadOnlyList<IAwsService> services)
{
    /// <summary>Bytes of a request's body; the Data API's 4 MiB (aws-facts §4.1); what others send is far smaller.</summary>
    public const int MaximumBody = 4 << 20;

    public IEnumerable<string> ServiceNames => services.Select(s => s.SigningName).Order(StringComparer.Ordinal);

    public async Task AnswerAsync(HttpContext http)
    {
        var requestId = Guid.NewGuid().ToString();
        var body = await ReadBodyAsync(http).ConfigureAwait(false);
        var asked = Asked.Read(http.Request, body);
        var service = services.FirstOrDefault(asked.IsFor);
        if (service is { Protocol: AwsProtocol.RestJson })
            asked = asked with { Operation = service.OperationAt(http.Request.Method, http.Request.Path), Form = null };
        var protocol = service?.Protocol ?? asked.Protocol;
        var name = $"{service?.SigningName ?? asked.ScopeService ?? "?"}:{asked.Operation ?? "?"}";
        Caller? caller = null;
        int status;
        (string Type, string Body) reply;
        try
        {
            var signed = context.Authentication.Authenticate(http.Request, body, service?.SigningName ?? asked.ScopeService ?? "", protocol);
            caller = signed.Caller;
            if (service is null || asked.Operation is null)
                throw Unknown(asked, protocol);
            var call = new AwsCall(asked.Operation, signed.Region, caller, asked.Form, protocol is AwsProtocol.Json11 or AwsProtocol.RestJson ? ReadJson(body) : null);
            // GetCallerIdentity needs no permission (aws-facts §1).
            if (name != "sts:GetCallerIdentity")
            {
                context.Permissions.Demand(service, call, new PolicyOrigin(signed.Region, http.Connection.RemoteIpAddress, http.Request.IsHttps));
            }
            var answer = await service.AnswerAsync(call, http.RequestAborted).ConfigureAwait(false);
            reply = AwsReply.Answer(protocol, service.SigningName, asked.Version ?? service.TargetPrefixOrVersion, asked.Operation, answer, requestId);
            status = 200;
            context.Calls.Report(name, caller, "200");
        }
        catch (AwsError error)
        {
            reply = AwsReply.Error(protocol, service?.SigningName, asked.Version, error, requestId);
            status = error.Status;
            if (protocol == AwsProtocol.RestJson)
                http.Response.Headers["x-amzn-ErrorType"] = error.Code;
            context.Calls.Report(name, caller, error.Code);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A fault of the lab itself: told as AWS tells its own, and to whoever watches the lab.
            reply = AwsReply.Error(protocol, service?.SigningName, asked.Version, new AwsError(protocol is AwsProtocol.Json11 or AwsProtocol.RestJson ? "InternalServerError" : "InternalFailure", "An internal error has occurred", 500), requestId);
            status = 500;
            context.Calls.Report(name, caller, $"500 {error.GetType().Name}: {error.Message}");
        }
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = reply.Type;
        response.Headers["x-amzn-RequestId"] = requestId;
        // Clients compare it with their own clock (aws-facts §8.2 row 3), so it is the lab's.
        response.Headers.Date = context.Time.GetUtcNow().ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        var bytes = Encoding.UTF8.GetBytes(reply.Body);
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, http.RequestAborted).ConfigureAwait(false);
    }

    private static AwsError Unknown(Asked asked, AwsProtocol protocol) => protocol switch
    {
        AwsProtocol.Json11 or AwsProtocol.RestJson => new("UnknownOperationException", ""),
        _ when asked.Operation is null => new("MissingAction", "The request must contain the parameter Action"),
        AwsProtocol.Ec2 => new("InvalidAction", $"The action {asked.Operation} is not valid for this web service."),
        _ => new("InvalidAction", $"Could not find operation {asked.Operation} for version {asked.Version ?? "NO_VERSION_SPECIFIED"}"),
    };

    /// <summary>What a service throws for an operation it does not have.</summary>
    public static AwsError UnknownOperation(IAwsService service, AwsCall call) =>
        Unknown(new Asked(call.Operation, service.TargetPrefixOrVersion, service.SigningName, null, call.Form, service.Protocol), service.Protocol);

    private static JsonElement ReadJson(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body.IsEmpty ? "{}"u8.ToArray() : body);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document.RootElement.Clone();
        }
        catch (JsonException)
        {
        }
        throw new AwsError("SerializationException", "Could not parse the request body.");
    }

    private static async Task<byte[]> ReadBodyAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted).ConfigureAwait(false);
        return body.ToArray();
    }

    /// <summary>What a request asks for, before anything is checked.</summary>
    private sealed record Asked(string? Operation, string? Version, string? ScopeService, string? TargetPrefix, IReadOnlyDictionary<string, string>? Form, AwsProtocol Protocol)
    {
        private const string Ec2Version = "2016-11-15";

        public static Asked Read(HttpRequest request, byte[] body)
        {
            var scope = RequestAuthentication.SigningNameOf(request);
            if (request.Headers["X-Amz-Target"].ToString() is { Length: > 0 } target)
            {
                var dot = target.LastIndexOf('.');
                return new Asked(dot < 0 ? target : target[(dot + 1)..], null, scope, dot < 0 ? "" : target[..dot], null, AwsProtocol.Json11);
            }
            var form = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (key, value) in SigV4.Query(request.QueryString.Value is { Length: > 0 } query ? query[1..] : ""))
                form[key] = value;
            if (request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true)
            {
                foreach (var (key, value) in SigV4.Query(Encoding.UTF8.GetString(body)))
                    form[key] = value;
            }
            var version = form.GetValueOrDefault("Version");
            return new Asked(form.GetValueOrDefault("Action"), version, scope, null, form, scope == "ec2" || version == Ec2Version ? AwsProtocol.Ec2 : AwsProtocol.Query);
        }

        /// <summary>The target or version decides; several query services share none, so the scope must then agree where it is told.</summary>
        public bool IsFor(IAwsService service) => TargetPrefix is not null
            ? service.Protocol == AwsProtocol.Json11 && service.TargetPrefixOrVersion == TargetPrefix
            : service.Protocol == AwsProtocol.RestJson ? Version is null && service.SigningName == ScopeService
            : service.Protocol != AwsProtocol.Json11 && service.TargetPrefixOrVersion == Version;
    }
}
