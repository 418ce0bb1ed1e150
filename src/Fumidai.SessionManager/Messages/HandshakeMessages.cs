using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fumidai.SessionManager;

/// <summary>Agent's first message (protocol §4.2).</summary>
internal sealed record HandshakeRequest(string? AgentVersion, IReadOnlyList<RequestedClientAction>? RequestedClientActions);

/// <summary>One thing the agent asks the client to do: <c>SessionType</c> or <c>KMSEncryption</c>.</summary>
internal sealed record RequestedClientAction(string? ActionType, JsonElement ActionParameters);

/// <summary>Parameters of <c>SessionType</c>: Standard_Stream, Port, InteractiveCommands, NonInteractiveCommands; Properties is any JSON, or null.</summary>
internal sealed record SessionTypeParameters(string? SessionType, JsonElement Properties);

/// <summary>Parameters of <c>KMSEncryption</c>. Challenge (agent 3.3.808 and later) is base64 of 16 random bytes.</summary>
internal sealed record KmsEncryptionParameters(
    [property: JsonPropertyName("KMSKeyId")] string? KmsKeyId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Challenge);

/// <summary>Client's answer. Exactly one is sent: a second one blocks the official agent for good.</summary>
internal sealed record HandshakeResponse(string? ClientVersion, IReadOnlyList<ProcessedClientAction>? ProcessedClientActions, IReadOnlyList<string>? Errors);

/// <summary>What came of one requested action.</summary>
internal sealed record ProcessedClientAction(string? ActionType, ActionStatus ActionStatus, JsonElement? ActionResult, string? Error);

/// <summary>Any other than Success makes the agent cancel the session.</summary>
internal enum ActionStatus
{
    Success = 1,
    Failed = 2,
    Unsupported = 3,
}

/// <summary>Result of <c>KMSEncryption</c>: the data key as KMS encrypted it, base64.</summary>
internal sealed record KmsEncryptionResult(
    [property: JsonPropertyName("KMSCipherTextKey")] string? KmsCipherTextKey,
    [property: JsonPropertyName("KMSCipherTextHash")] string? KmsCipherTextHash,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ChallengeAcknowledgement);

/// <summary>Agent: the handshake is over. Nanoseconds; CustomerMessage is for the user.</summary>
internal sealed record HandshakeComplete(long HandshakeTimeToComplete, string? CustomerMessage);

/// <summary>Base64 of sealed bytes, in both directions (protocol §4.3).</summary>
internal sealed record EncryptionChallenge(string? Challenge);

/// <summary>Names of actions.</summary>
internal static class ActionTypes
{
    internal const string SessionType = "SessionType";
    internal const string KmsEncryption = "KMSEncryption";
}
