using System.Text.Json;

namespace Fumidai.SessionManager;

/// <summary>What the two ends told each other before the first data (protocol §4).</summary>
/// <param name="AgentVersion">E.g. <c>3.3.1142.0</c>; empty when there was no handshake (plain shells, very old agents).</param>
/// <param name="ClientVersion">E.g. <c>1.2.835.0</c>; empty when there was no handshake.</param>
/// <param name="SessionType"><c>Port</c>, <c>Standard_Stream</c> …; <c>Standard_Stream</c> when there was no handshake.</param>
/// <param name="Properties">The document's properties: any JSON; Undefined when absent.</param>
/// <param name="CustomerMessage">Words for the user; may be empty.</param>
internal sealed record Handshake(string AgentVersion, string ClientVersion, string SessionType, JsonElement Properties, string CustomerMessage)
{
    /// <summary>A property's text; null when absent or not text.</summary>
    public string? Property(string name)
    {
        try
        {
            return Properties.ValueKind == JsonValueKind.Object && Properties.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (InvalidOperationException)
        {
            return null;      // not UTF-8; an element looks only when it is asked
        }
    }
}
