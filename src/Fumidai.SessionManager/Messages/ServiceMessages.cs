using System.Buffers.Binary;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fumidai.SessionManager;

/// <summary>Messages that the service makes, for whoever plays the service (protocol §3.6, §7); and the reading of them.</summary>
public static class ServiceMessages
{
    /// <summary>The session is over: header of 112 bytes, JSON payload (protocol §3.6, vector V9).</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="destinationId">ClientId of the receiver's first text message; may be empty.</param>
    /// <param name="output">Words for the user; may be empty.</param>
    /// <param name="messageId">Also inside the payload.</param>
    /// <param name="created">When.</param>
    public static AgentMessage ChannelClosed(string sessionId, string destinationId, string output, Guid messageId, DateTimeOffset created)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(
            new ChannelClosedPayload(messageId.ToString("D"), created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
                destinationId, sessionId, MessageTypes.ChannelClosed, 1, output),
            MessageJson.Relaxed.ChannelClosedPayload);
        return Service(MessageTypes.ChannelClosed, payload, messageId, created);
    }

    /// <summary>Sending may go on. The real payload is not known; never less than four bytes, or the official client can't read it (protocol §2.1).</summary>
    public static AgentMessage StartPublication(Guid messageId, DateTimeOffset created) => Service(MessageTypes.StartPublication, "{  }"u8.ToArray(), messageId, created);

    /// <summary>Stop sending. The real payload is not known.</summary>
    public static AgentMessage PausePublication(Guid messageId, DateTimeOffset created) => Service(MessageTypes.PausePublication, "{  }"u8.ToArray(), messageId, created);

    /// <summary>A control-channel or other unsequenced message with a 116-byte header, e.g. interactive_shell, agent_task_acknowledge.</summary>
    public static AgentMessage Unsequenced(string messageType, ReadOnlyMemory<byte> payload, Guid messageId, DateTimeOffset created, MessageFlags flags = MessageFlags.None)
        => new(messageType, 0, flags, messageId, PayloadType.None, payload) { CreatedDate = (ulong)created.ToUnixTimeMilliseconds() };

    /// <summary>What channel_closed says: its <c>Output</c>; empty when the payload can't be read, for the session is over all the same.</summary>
    public static string ReadChannelClosedOutput(ReadOnlySpan<byte> payload)
    {
        return MessageJson.TryRead(payload, MessageJson.Relaxed.ChannelClosedPayload)?.Output ?? "";
    }

    /// <summary>Reads a Flag payload (protocol §2.2).</summary>
    public static bool TryReadFlag(ReadOnlySpan<byte> payload, out SessionFlag flag)
    {
        flag = default;
        if (payload.Length < 4) return false;
        flag = (SessionFlag)BinaryPrimitives.ReadUInt32BigEndian(payload);
        return true;
    }

    /// <summary>Four bytes, big-endian.</summary>
    public static byte[] WriteFlag(SessionFlag flag)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)flag);
        return payload;
    }

    private static AgentMessage Service(string messageType, byte[] payload, Guid messageId, DateTimeOffset created)
        => new(messageType, 0, MessageFlags.None, messageId, PayloadType.None, payload)
        {
            CreatedDate = (ulong)created.ToUnixTimeMilliseconds(),
            HeaderLength = AgentMessageLayout.ServiceHeader,
        };
}

/// <summary>channel_closed.</summary>
internal sealed record ChannelClosedPayload(
    string? MessageId, string? CreatedDate, string? DestinationId, string? SessionId, string? MessageType, int SchemaVersion, string? Output);

/// <summary>agent_session_state: the agent tells the service; not forwarded (protocol §4.1).</summary>
internal sealed record AgentSessionStatePayload(int SchemaVersion, string SessionState, string SessionId);

/// <summary>The client's first text message (protocol §1.5).</summary>
internal sealed record OpenDataChannel(string MessageSchemaVersion, string RequestId, string TokenValue, string ClientId, string ClientVersion);

/// <summary>Serializers made at build time. Use <see cref="Relaxed"/>: the default encoder writes a token's <c>+</c> as <c>\u002B</c>.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(ChannelClosedPayload))]
[JsonSerializable(typeof(AgentSessionStatePayload))]
[JsonSerializable(typeof(OpenDataChannel))]
[JsonSerializable(typeof(HandshakeRequest))]
[JsonSerializable(typeof(HandshakeResponse))]
[JsonSerializable(typeof(HandshakeComplete))]
[JsonSerializable(typeof(SessionTypeParameters))]
[JsonSerializable(typeof(KmsEncryptionParameters))]
[JsonSerializable(typeof(KmsEncryptionResult))]
[JsonSerializable(typeof(EncryptionChallenge))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class MessageJson : JsonSerializerContext
{
    internal static MessageJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNameCaseInsensitive = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>What the JSON readers throw at bytes of a peer: bad JSON, or text that is not UTF-8 where it is turned into a string.</summary>
    internal static bool IsBadInput(Exception e) => e is JsonException or InvalidOperationException;

    /// <summary>Null: not of that shape.</summary>
    internal static T? TryRead<T>(JsonElement element, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object ? element.Deserialize(type) : null;
        }
        catch (Exception e) when (IsBadInput(e))
        {
            return null;
        }
    }

    /// <summary>Null: not of that shape.</summary>
    internal static T? TryRead<T>(ReadOnlySpan<byte> payload, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(payload, type);
        }
        catch (Exception e) when (IsBadInput(e))
        {
            return null;
        }
    }
}
