namespace Fumidai.SessionManager;

/// <summary>Where and with what a data channel connects: the answer of StartSession or ResumeSession.</summary>
/// <param name="SessionId">Opaque; may hold <c>@</c> and <c>+</c>.</param>
/// <param name="Token">Goes into the first text message; a secret.</param>
/// <param name="StreamUrl">Passed through byte for byte, never parsed and re-encoded (protocol §1.1).</param>
public sealed record StreamTicket(string SessionId, string Token, string StreamUrl)
{
    /// <summary>Leaves the token out.</summary>
    public override string ToString() => $"StreamTicket {SessionId}";
}

/// <summary>What a session needs from the control plane while it lives. Implemented over SSM by the product and in memory by tests.</summary>
public interface ISessionControl
{
    /// <summary>Headers to add to the websocket handshake of this URL (SigV4); empty when the URL is presigned. Called anew for each connection.</summary>
    ValueTask<IReadOnlyList<KeyValuePair<string, string>>> SignAsync(string streamUrl, CancellationToken cancellationToken);

    /// <summary>ResumeSession: a fresh ticket for the same session; null when the service says the session is over (protocol §6.4).</summary>
    ValueTask<StreamTicket?> ResumeAsync(string sessionId, CancellationToken cancellationToken);

    /// <summary>TerminateSession. Never throws for a session that is already over.</summary>
    ValueTask TerminateAsync(string sessionId, CancellationToken cancellationToken);
}

/// <summary>The one thing Session Manager's KMS encryption needs from outside: a fresh data key (protocol §4.3).</summary>
public interface ISessionKeySource
{
    /// <summary>KMS GenerateDataKey of 64 bytes under the given encryption context.</summary>
    ValueTask<SessionDataKey> GenerateAsync(string kmsKeyId, IReadOnlyDictionary<string, string> encryptionContext, CancellationToken cancellationToken);

    /// <summary>KMS Decrypt under the same context; used by the agent end.</summary>
    ValueTask<byte[]> DecryptAsync(byte[] ciphertext, IReadOnlyDictionary<string, string> encryptionContext, CancellationToken cancellationToken);
}

/// <summary>A data key in both forms.</summary>
/// <param name="Plaintext">64 bytes: 0–31 agent encrypts, 32–63 client encrypts.</param>
/// <param name="Ciphertext">The blob sent to the agent.</param>
public sealed record SessionDataKey(byte[] Plaintext, byte[] Ciphertext);

/// <summary>How a session ended.</summary>
/// <param name="Kind">Who or what ended it.</param>
/// <param name="Output">The service's or agent's words (channel_closed <c>Output</c>), or the reason of a failure; may be empty.</param>
public sealed record SessionEnd(SessionEndKind Kind, string Output);

/// <summary>Who or what ended a session.</summary>
public enum SessionEndKind
{
    /// <summary>We ended it.</summary>
    Local,
    /// <summary>channel_closed from the service.</summary>
    Closed,
    /// <summary>ResumeSession said that the session is over, or it was given up.</summary>
    Lost,
    /// <summary>The peer broke the protocol, or the handshake failed.</summary>
    Failed,
}

/// <summary>Thrown where an operation needs a session that has ended.</summary>
public sealed class SessionEndedException(SessionEnd end, Exception? inner = null)
    : Exception(end.Output.Length == 0 ? $"the session has ended ({end.Kind})" : end.Output, inner)
{
    /// <summary>How it ended.</summary>
    public SessionEnd End { get; } = end;
}
