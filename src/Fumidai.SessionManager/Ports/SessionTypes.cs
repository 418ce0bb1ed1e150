namespace Fumidai.SessionManager;

/// <summary>What agents call the kinds of session (protocol §1.2).</summary>
public static class SessionTypes
{
    /// <summary>Port forwarding and SSH.</summary>
    public const string Port = "Port";
    /// <summary>A shell.</summary>
    public const string Shell = "Standard_Stream";
    /// <summary>A command with a terminal.</summary>
    public const string InteractiveCommand = "InteractiveCommands";
    /// <summary>A command without one.</summary>
    public const string NonInteractiveCommand = "NonInteractiveCommands";
}

/// <summary>Properties of a port session's document (protocol §5.2).</summary>
internal static class PortProperties
{
    public const string Type = "type";
    public const string LocalPortForwarding = "LocalPortForwarding";
    public const string Host = "host";
    public const string PortNumber = "portNumber";
}
