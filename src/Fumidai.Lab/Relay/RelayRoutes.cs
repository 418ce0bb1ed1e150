using System.Net.WebSockets;
using System.Security;
using System.Text;
using System.Text.Json;
using Fumidai.SessionManager;
using Microsoft.AspNetCore.Http;

namespace Fumidai.Lab;

/// <summary>
/// What stands behind <c>ssmmessages</c> (protocol §1.4, §1.5, §7.2): <c>/v1/data-channel/SESSION</c> for both ends and
/// <c>/v1/control-channel/INSTANCE</c> for agents, a POST for the agent's token and a websocket each.
/// </summary>
internal sealed class RelayRoutes(LabContext context, RelayOptions options, SessionTable sessions, ControlChannels controls, Action<RelaySession> clientArrived) : ILabRoutes
{
    private const string Data = "/v1/data-channel/";
    private const string Control = "/v1/control-channel/";
    private const string Service = "ssmmessages";

    /// <summary>From this version on the official client uses the StreamUrl that ResumeSession returned (protocol §6.4).</summary>
    private static readonly Version s_followsNewUrl = new(1, 2, 764, 0);

    public bool Owns(HttpRequest request) => request.Path.Value is { } path && (path.StartsWith(Data, StringComparison.Ordinal) || path.StartsWith(Control, StringComparison.Ordinal));

    public async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        var isData = path.StartsWith(Data, StringComparison.Ordinal);
        var id = path[(isData ? Data : Control).Length..];
        var isPost = HttpMethods.IsPost(http.Request.Method);
        var operation = $"{Service}:{(isPost ? "Create" : "Open")}{(isData ? "Data" : "Control")}Channel";
        try
        {
            if (isPost)
                await CreateAsync(http, isData, id, operation).ConfigureAwait(false);
            else if (HttpMethods.IsGet(http.Request.Method))
                await (isData ? OpenDataAsync(http, id, operation) : OpenControlAsync(http, id, operation)).ConfigureAwait(false);
            else
                http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        }
        catch (AwsError error)
        {
            context.Calls.Report(operation, null, error.Code);
            http.Response.StatusCode = error.Status;
            http.Response.Headers["x-amzn-ErrorType"] = error.Code;
            http.Response.ContentType = "application/xml";
            await http.Response.WriteAsync($"<{error.Code}><Message>{SecurityElement.Escape(error.Message)}</Message></{error.Code}>", http.RequestAborted).ConfigureAwait(false);
        }
    }

    /// <summary>The agent's token: HTTP 201 and XML; the root's name is not looked at.</summary>
    private async Task CreateAsync(HttpContext http, bool isData, string id, string operation)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted).ConfigureAwait(false);
        var signed = Authenticate(http, body.ToArray(), operation, "*");
        string token;
        if (isData)
        {
            var session = sessions.Find(id);
            if (session is null || session.IsOver)
                throw new AwsError("DataChannelNotFoundException", "Session is already terminated", 400);
            token = sessions.Issue(session, RelayRole.Agent);
        }
        else
        {
            token = controls.Issue(id);
        }
        context.Calls.Report(operation, signed.Caller, "201");
        var root = isData ? "CreateDataChannelResponse" : "CreateControlChannelResponse";
        http.Response.StatusCode = StatusCodes.Status201Created;
        http.Response.ContentType = "application/xml";
        await http.Response.WriteAsync($"<{root}><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>{token}</TokenValue></{root}>", http.RequestAborted).ConfigureAwait(false);
    }

    private async Task OpenDataAsync(HttpContext http, string id, string operation)
    {
        var session = sessions.Find(id);
        Caller? caller = null;
        if (RequestAuthentication.IsSigned(http.Request) || !context.Options.AcceptUnsignedChannel)
        {
            var arn = session is null ? "*" : $"arn:aws:ssm:{session.Order.Region}:{session.Order.Owner.Account}:session/{id}";
            caller = Authenticate(http, [], operation, arn).Caller;
            if (session is not null && caller.Account != session.Order.Owner.Account)
                throw new AwsError("AccessDeniedException", $"User: {caller.Arn} is not authorized to perform: {operation} on resource: {arn}", 403);
        }
        if (session is null || session.IsOver)
            throw new AwsError("DataChannelNotFoundException", "Session is already terminated", 404);
        // Taken from the text: a query parser would turn the raw + into a space.
        var isStale = http.Request.QueryString.Value is { } query && query.Contains("cell-number=", StringComparison.Ordinal) && !query.Contains("cell-number=" + session.CellNumber, StringComparison.Ordinal);
        if (await WebSocketUpgrade.AcceptAsync(http).ConfigureAwait(false) is not { } socket)
            return;
        var (end, first) = await FirstMessageAsync(socket, http).ConfigureAwait(false);
        if (end is null)
            return;
        if (first.Text("TokenValue") is not { } token || sessions.Claim(session, token) is not { } role)
        {
            context.Calls.Report(operation, caller, "bad token");
            await RefuseAsync(end, "token").ConfigureAwait(false);
            return;
        }
        // An old client goes on using the URL of StartSession; a new one that does would fail on AWS.
        if (role == RelayRole.Client && isStale && Version.TryParse(first.Text("ClientVersion"), out var version) && version >= s_followsNewUrl)
        {
            context.Calls.Report(operation, caller, "stale cell-number");
            await RefuseAsync(end, "cell-number").ConfigureAwait(false);
            return;
        }
        context.Calls.Report(operation, caller, role == RelayRole.Client ? "101 client" : "101 agent");
        var cuts = session.Cuts;
        var serving = session.ServeAsync(role, end);
        if (role == RelayRole.Client)
            clientArrived(session);
        await serving.ConfigureAwait(false);
        if (session.Cuts > cuts)
            context.Calls.Report($"{Service}:CutDataChannel", caller, role == RelayRole.Client ? "client" : "agent");
    }

    private async Task OpenControlAsync(HttpContext http, string instanceId, string operation)
    {
        var signed = Authenticate(http, [], operation, "*");
        if (await WebSocketUpgrade.AcceptAsync(http).ConfigureAwait(false) is not { } socket)
            return;
        var (end, first) = await FirstMessageAsync(socket, http).ConfigureAwait(false);
        if (end is null)
            return;
        if (first.Text("TokenValue") is not { } token || !controls.Claim(instanceId, token))
        {
            await RefuseAsync(end, "token").ConfigureAwait(false);
            return;
        }
        context.Calls.Report(operation, signed.Caller, "101");
        await controls.ServeAsync(instanceId, end, first.Text("AgentVersion") ?? "").ConfigureAwait(false);
    }

    /// <summary>Who signed, and whether the policies allow it. Every fault is a 403 here: the upgrade is refused.</summary>
    private SignedRequest Authenticate(HttpContext http, byte[] body, string operation, string resource)
    {
        try
        {
            var signed = context.Authentication.Authenticate(http.Request, body, Service, AwsProtocol.Json11);
            context.Permissions.Demand(signed.Caller, operation, new(resource), new(signed.Region, http.Connection.RemoteIpAddress, http.Request.IsHttps), AwsProtocol.Json11);
            return signed;
        }
        catch (AwsError error)
        {
            throw new AwsError(error.Code, error.Message, 403);
        }
    }

    /// <summary>The first text message; control frames may come before it (protocol §1.5).</summary>
    private async Task<(RelayEnd? End, JsonElement First)> FirstMessageAsync(BatchedWebSocket socket, HttpContext http)
    {
        var buffer = new byte[16 * 1024];
        var filled = 0;
        using var limit = new CancellationTokenSource(options.FirstMessageLimit, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, http.RequestAborted);
        try
        {
            while (filled < buffer.Length)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(filled), both.Token).ConfigureAwait(false);
                filled += received.Count;
                if (received.MessageType != WebSocketMessageType.Text)
                    break;
                if (!received.EndOfMessage)
                    continue;
                using var message = JsonDocument.Parse(Encoding.UTF8.GetString(buffer, 0, filled));
                var first = message.RootElement.Clone();
                return (new RelayEnd(socket, first.Text("ClientId") ?? "", http.Abort), first);
            }
        }
        catch (Exception error) when (error is JsonException || RelayEnd.IsLoss(error))
        {
            // As below.
        }
        http.Abort();
        socket.Dispose();
        return (null, default);
    }

    /// <summary>How the service refuses a token is not known; a policy violation is what the protocol has for it.</summary>
    private async Task RefuseAsync(RelayEnd end, string what)
    {
        await end.CloseAsync(WebSocketCloseStatus.PolicyViolation, $"invalid {what}").ConfigureAwait(false);
        using var limit = new CancellationTokenSource(options.Linger, TimeProvider.System);
        try
        {
            var rest = new byte[1024];
            while ((await end.Socket.ReceiveAsync(rest.AsMemory(), limit.Token).ConfigureAwait(false)).MessageType != WebSocketMessageType.Close)
            {
                // What was under way is not looked at.
            }
        }
        catch (Exception error) when (RelayEnd.IsLoss(error))
        {
        }
        end.Abort();
        end.Dispose();
    }
}
