namespace Fumidai.SessionManager;

/// <summary>Names of the binary messages on data and control channels (protocol §2.2).</summary>
public static class MessageTypes
{
    /// <summary>Client to agent; numbered and acknowledged.</summary>
    public const string InputStreamData = "input_stream_data";
    /// <summary>Agent to client; numbered and acknowledged.</summary>
    public const string OutputStreamData = "output_stream_data";
    /// <summary>Both ways; neither numbered nor acknowledged.</summary>
    public const string Acknowledge = "acknowledge";
    /// <summary>Service to client and agent: the session is over.</summary>
    public const string ChannelClosed = "channel_closed";
    /// <summary>Service: sending may go on.</summary>
    public const string StartPublication = "start_publication";
    /// <summary>Service: stop sending.</summary>
    public const string PausePublication = "pause_publication";
    /// <summary>Agent to service on the data channel; not forwarded.</summary>
    public const string AgentSessionState = "agent_session_state";
    /// <summary>Service to some agents (3.2.1478 to 3.3.40) after the first text message.</summary>
    public const string DataChannelReady = "data_channel_ready";
    /// <summary>The same on the control channel.</summary>
    public const string ControlChannelReady = "control_channel_ready";
    /// <summary>Control channel, service to agent: start a session of any type.</summary>
    public const string InteractiveShell = "interactive_shell";
    /// <summary>Control channel, agent to service: the session has ended.</summary>
    public const string AgentTaskComplete = "agent_task_complete";
    /// <summary>Control channel, service to agent: the end was noted.</summary>
    public const string AgentTaskAcknowledge = "agent_task_acknowledge";

    private static readonly string[] Known =
    [
        InputStreamData, OutputStreamData, Acknowledge, ChannelClosed, StartPublication, PausePublication, AgentSessionState,
        DataChannelReady, ControlChannelReady, InteractiveShell, AgentTaskComplete, AgentTaskAcknowledge,
    ];

    /// <summary>The name in a header field; the constants above without allocating.</summary>
    internal static string Name(ReadOnlySpan<byte> field)
    {
        foreach (var known in Known)
            if (System.Text.Ascii.Equals(field, known))
                return known;
        return System.Text.Encoding.Latin1.GetString(field);
    }
}

/// <summary>Header flags. Neither official reader looks at them (protocol §2.3).</summary>
[Flags]
public enum MessageFlags : ulong
{
    /// <summary>Ordinary stream data.</summary>
    None = 0,
    /// <summary>First message of the agent's direction.</summary>
    Syn = 1,
    /// <summary>Last message.</summary>
    Fin = 2,
    /// <summary>What acknowledgements and agent_session_state carry.</summary>
    SynFin = Syn | Fin,
}
