namespace Fumidai.SessionManager;

/// <summary>What a stream message carries (protocol §2.2).</summary>
public enum PayloadType : uint
{
    /// <summary>Acknowledgements and other unsequenced messages: JSON.</summary>
    None = 0,
    /// <summary>Raw bytes: terminal, port data, smux frames.</summary>
    Output = 1,
    /// <summary>Unused by the versions read.</summary>
    Error = 2,
    /// <summary>Terminal size, JSON <c>{"cols":120,"rows":40}</c>.</summary>
    Size = 3,
    /// <summary>Unused.</summary>
    Parameter = 4,
    /// <summary>Agent's first message, JSON.</summary>
    HandshakeRequest = 5,
    /// <summary>Client's first message, JSON.</summary>
    HandshakeResponse = 6,
    /// <summary>End of the handshake, JSON.</summary>
    HandshakeComplete = 7,
    /// <summary>KMS challenge, JSON.</summary>
    EncChallengeRequest = 8,
    /// <summary>KMS challenge answer, JSON.</summary>
    EncChallengeResponse = 9,
    /// <summary>A <see cref="SessionFlag"/>, uint32 big-endian.</summary>
    Flag = 10,
    /// <summary>Standard error of a command, raw bytes.</summary>
    StdErr = 11,
    /// <summary>Text <c>EXIT_CODE: 0</c>.</summary>
    ExitCode = 12,
}

/// <summary>Values of a Flag payload (protocol §2.2).</summary>
public enum SessionFlag : uint
{
    /// <summary>Basic mode: close the connection to the port. Client to agent.</summary>
    DisconnectToPort = 1,
    /// <summary>End the session. Client to agent.</summary>
    TerminateSession = 2,
    /// <summary>A dial at the far end failed. Agent to client; carries no stream id.</summary>
    ConnectToPortError = 3,
}
