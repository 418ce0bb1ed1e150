using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Xml.Linq;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>
/// A virtual agent's way to the service: the steps of a real one (protocol §7.2) with its role's credentials over real connections, as long as
/// the model lets it out.
/// </summary>
internal sealed class AgentUplink(LabContext context, string instanceId) : IDisposable
{
    private const string Service = "ssmmessages";

    /// <summary>How long one attempt waits where packets are dropped.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    private readonly HttpClient _http = new() { Timeout = s_patience };

    /// <summary>A websocket to the session's data channel, with the agent's first text message sent.</summary>
    /// <exception cref="WebSocketException">Not reached or refused.</exception>
    public async ValueTask<WebSocket> ConnectAsync(RelaySession session, CancellationToken cancellationToken)
    {
        await WaitForWayAsync(cancellationToken).ConfigureAwait(false);
        var id = session.Order.Id;
        var token = await TokenAsync(id, cancellationToken).ConfigureAwait(false);
        var path = $"/v1/data-channel/{id}?role=publish_subscribe";
        using var signed = new HttpRequestMessage(HttpMethod.Get, new Uri(context.ApiAddress, path));
        SigV4.Sign(signed, [], Keys(), Service, session.Order.Region, context.Time.GetUtcNow());
        var headers = signed.Headers.Select(header => new KeyValuePair<string, string>(header.Key, string.Join(',', header.Value))).ToList();
        var socket = await BatchedWebSocket.ConnectAsync($"ws://{context.ApiAddress.Authority}{path}", headers, new SocketSettings { PingInterval = TimeSpan.FromSeconds(54), PongTimeout = TimeSpan.FromSeconds(60), GatherTime = TimeSpan.Zero }, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        try
        {
            var first = JsonText.Bytes(json =>
            {
                json.WriteString("MessageSchemaVersion", "1.0");
                json.WriteString("RequestId", Guid.NewGuid());
                json.WriteString("TokenValue", token);
                json.WriteString("ClientInstanceId", instanceId);
                json.WriteString("ClientId", "");
            });
            await socket.SendAsync(first.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, cancellationToken).ConfigureAwait(false);
            await socket.PushAsync(cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task WaitForWayAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_patience, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        while (true)
        {
            var changed = context.Model.NextChange;
            var reach = Reachability.AgentOnline(context.Model, instanceId);
            if (reach.Verdict == Verdict.Open)
                return;
            if (reach.Verdict == Verdict.Refused)
                throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, reach.Why);
            try
            {
                await changed.WaitAsync(both.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, reach.Why);
            }
        }
    }

    private async Task<string> TokenAsync(string sessionId, CancellationToken cancellationToken)
    {
        var body = JsonText.Bytes(json =>
        {
            json.WriteString("MessageSchemaVersion", "1.0");
            json.WriteString("RequestId", Guid.NewGuid());
            json.WriteString("ClientId", "");
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(context.ApiAddress, "/v1/data-channel/" + sessionId)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var region = context.Model.Read(model => model.Instances[instanceId].Region);
        SigV4.Sign(request, body, Keys(), Service, region, context.Time.GetUtcNow());
        try
        {
            using var answer = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var text = Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
            if ((int)answer.StatusCode == 201 && XDocument.Parse(text).Root?.Element("TokenValue")?.Value is { Length: > 0 } token)
                return token;
            throw new WebSocketException(WebSocketError.NotAWebSocket, $"CreateDataChannel: {(int)answer.StatusCode}");
        }
        catch (HttpRequestException error)
        {
            throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, error.Message, error);
        }
    }

    /// <summary>What the instance's metadata service would give: the role's session, named after the instance.</summary>
    private SigningKeys Keys()
    {
        var caller = context.Model.Read(model =>
        {
            if (!model.Instances.TryGetValue(instanceId, out var instance) || instance.InstanceProfileArn is not { } arn)
                return null;
            var role = model.InstanceProfiles.TryGetValue(arn, out var profile) && profile.RoleName is { } name ? model.Roles.Values.FirstOrDefault(r => r.Account == profile.Account && r.Name == name) : null;
            return role is null ? null : Identities.CallerOf(role, instanceId);
        }) ?? throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely, $"{instanceId} has no role");
        return context.Identities.Issue(caller, TimeSpan.FromHours(6)).Keys;
    }
}
