using System.Net.WebSockets;
using System.Text.Json;
using Fumidai.SessionManager;

namespace Fumidai.Lab;

/// <summary>
/// Control channels of foreign agents (the official one, run against the lab from outside): sessions to their instance go to them instead of the
/// lab's virtual agent (protocol §7.2, §7.3).
/// </summary>
internal sealed class ControlChannels(SessionTable sessions, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Channel> _channels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);

    private sealed record Channel(RelayEnd End, string AgentVersion, DateTimeOffset Since);

    /// <summary>A token for one control channel.</summary>
    public string Issue(string instanceId)
    {
        var token = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(96));
        lock (_lock)
            _tokens[token] = instanceId;
        return token;
    }

    public bool Claim(string instanceId, string token)
    {
        lock (_lock)
            return _tokens.Remove(token, out var of) && of == instanceId;
    }

    public bool IsConnected(string instanceId)
    {
        lock (_lock)
            return _channels.ContainsKey(instanceId);
    }

    /// <summary>Connected foreign agents: instance, version, since when.</summary>
    public IReadOnlyList<(string InstanceId, string AgentVersion, DateTimeOffset Since)> Connected
    {
        get
        {
            lock (_lock)
                return [.. _channels.Select(pair => (pair.Key, pair.Value.AgentVersion, pair.Value.Since))];
        }
    }

    /// <summary>Serves one control channel until it closes.</summary>
    public async Task ServeAsync(string instanceId, RelayEnd end, string agentVersion)
    {
        var channel = new Channel(end, agentVersion, time.GetUtcNow());
        lock (_lock)
        {
            _channels.GetValueOrDefault(instanceId)?.End.Abort();
            _channels[instanceId] = channel;
        }
        try
        {
            await ReadAsync(end).ConfigureAwait(false);
        }
        catch (Exception error) when (RelayEnd.IsLoss(error))
        {
            // It comes back by itself (protocol §7.2).
        }
        finally
        {
            lock (_lock)
            {
                if (_channels.GetValueOrDefault(instanceId) == channel)
                    _channels.Remove(instanceId);
            }
            end.Dispose();
        }
    }

    /// <summary>Hands a session to the foreign agent of its target; false: it has none.</summary>
    public async Task<bool> OfferAsync(RelaySession session)
    {
        Channel? channel;
        lock (_lock)
            channel = _channels.GetValueOrDefault(session.Order.Target);
        if (channel is null)
            return false;
        var document = session.Order.Document;
        var content = JsonText.Of(json =>
        {
            json.WriteString("DocumentName", document.Name);
            json.WritePropertyName("DocumentContent");
            json.WriteRawValue(SessionDocuments.ContentForAgent(document.Name));
            json.WriteString("SessionId", session.Order.Id);
            json.WriteStartObject("Parameters");
            foreach (var (name, value) in document.Parameters)
                json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteString("RunAsUser", "");
            json.WriteString("SessionOwner", session.Order.Owner.Arn);
        });
        var payload = JsonText.Bytes(json =>
        {
            json.WriteString("Content", content);
            json.WriteString("TaskId", session.Order.Id);
            json.WriteString("Topic", "interactive_shell");
            json.WriteNumber("SchemaVersion", 1);
        });
        await channel.End.SendNowAsync(ServiceMessages.Unsequenced(MessageTypes.InteractiveShell, payload, Guid.NewGuid(), time.GetUtcNow())).ConfigureAwait(false);
        return true;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var channel in _channels.Values)
                channel.End.Abort();
        }
    }

    private async Task ReadAsync(RelayEnd end)
    {
        var buffer = new byte[160_000];
        var filled = 0;
        while (filled < buffer.Length)
        {
            var received = await end.Socket.ReceiveAsync(buffer.AsMemory(filled), CancellationToken.None).ConfigureAwait(false);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await end.CloseAsync(WebSocketCloseStatus.NormalClosure, "").ConfigureAwait(false);
                return;
            }
            filled += received.Count;
            if (!received.EndOfMessage)
                continue;
            if (received.MessageType == WebSocketMessageType.Binary && AgentMessage.TryParse(buffer.AsMemory(0, filled), out var message, out _, verifyDigest: false) && message.MessageType == MessageTypes.AgentTaskComplete)
                await CompleteAsync(end, message).ConfigureAwait(false);
            filled = 0;
        }
    }

    private async Task CompleteAsync(RelayEnd end, AgentMessage message)
    {
        string sessionId, output, topic;
        try
        {
            using var payload = JsonDocument.Parse(message.Payload);
            sessionId = payload.RootElement.Text("TaskId") ?? "";
            output = payload.RootElement.Text("Output") ?? "";
            topic = payload.RootElement.Text("Topic") ?? "";
        }
        catch (JsonException)
        {
            return;
        }
        var acknowledgement = JsonText.Bytes(json =>
        {
            json.WriteNumber("SchemaVersion", 1);
            json.WriteString("MessageId", message.MessageId);
            json.WriteString("TaskId", sessionId);
            json.WriteString("Topic", topic);
        });
        await end.SendNowAsync(ServiceMessages.Unsequenced(MessageTypes.AgentTaskAcknowledge, acknowledgement, Guid.NewGuid(), time.GetUtcNow())).ConfigureAwait(false);
        sessions.Find(sessionId)?.End(output);
    }
}
