using System.Text.Json;
using System.Text.RegularExpressions;

namespace Fumidai.Lab;

/// <summary>A session document with a call's parameters put in.</summary>
/// <param name="Name"></param>
/// <param name="SessionType">Standard_Stream, Port, InteractiveCommands or NonInteractiveCommands.</param>
/// <param name="Parameters">As given, with defaults for the rest.</param>
/// <param name="Properties">The document's flat properties after substitution; of nested ones (commands) the Linux part.</param>
internal sealed record FilledDocument(string Name, string SessionType, IReadOnlyDictionary<string, string> Parameters, IReadOnlyDictionary<string, string> Properties);

/// <summary>
/// AWS's own session documents (protocol §1.2). Names, types, parameters and properties follow the reference; patterns and descriptions are the
/// lab's wording of public copies.
/// </summary>
internal static partial class SessionDocuments
{
    public const string DefaultShell = "SSM-SessionManagerRunShell";

    private const string PortPattern = "^([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
    private const string LocalPortPattern = "^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
    private const string HostPattern = """^[^,$^&\\(\\)!;'\"<>`{}\\[\\]|#= ]{3,}$""";

    private static readonly Dictionary<string, string> s_contents = new(StringComparer.Ordinal)
    {
        ["AWS-StartPortForwardingSession"] = $$$"""
            {"schemaVersion":"1.0","description":"Document to start port forwarding session over Session Manager","sessionType":"Port","parameters":{"portNumber":{"type":"String","description":"(Optional) Port number of the server on the instance","allowedPattern":"{{{PortPattern}}}","default":"80"},"localPortNumber":{"type":"String","description":"(Optional) Port number on local machine to forward traffic to. An open port is chosen at run-time if not provided","allowedPattern":"{{{LocalPortPattern}}}","default":"0"}},"properties":{"portNumber":"{{ portNumber }}","type":"LocalPortForwarding","localPortNumber":"{{ localPortNumber }}"}}
            """,
        ["AWS-StartPortForwardingSessionToRemoteHost"] = $$$"""
            {"schemaVersion":"1.0","description":"Document to start port forwarding session over Session Manager to remote host","sessionType":"Port","parameters":{"portNumber":{"type":"String","description":"(Optional) Port number of the server on the remote host","allowedPattern":"{{{PortPattern}}}","default":"80"},"localPortNumber":{"type":"String","description":"(Optional) Port number on local machine to forward traffic to. An open port is chosen at run-time if not provided","allowedPattern":"{{{LocalPortPattern}}}","default":"0"},"host":{"type":"String","description":"(Optional) Hostname or IP address of the destination server","allowedPattern":"{{{HostPattern}}}","default":"localhost"}},"properties":{"portNumber":"{{ portNumber }}","type":"LocalPortForwarding","localPortNumber":"{{ localPortNumber }}","host":"{{ host }}"}}
            """,
        ["AWS-StartSSHSession"] = $$$"""
            {"schemaVersion":"1.0","description":"Document to start SSH session over Session Manager","sessionType":"Port","parameters":{"portNumber":{"type":"String","description":"(Optional) SSH port number on the instance","allowedPattern":"{{{PortPattern}}}","default":"22"}},"properties":{"portNumber":"{{ portNumber }}"}}
            """,
        ["AWS-StartInteractiveCommand"] = """
            {"schemaVersion":"1.0","description":"Document to run single interactive command on an instance","sessionType":"InteractiveCommands","parameters":{"command":{"type":"String","description":"Command to run"}},"properties":{"linux":{"commands":"{{ command }}","runAsElevated":false}}}
            """,
        ["AWS-StartNonInteractiveCommand"] = """
            {"schemaVersion":"1.0","description":"Document to run single non-interactive command on an instance","sessionType":"NonInteractiveCommands","parameters":{"command":{"type":"String","description":"Command to run"}},"properties":{"linux":{"commands":"{{ command }}","runAsElevated":false,"separateOutputStream":true}}}
            """,
    };

    private const string ShellContent = """{"schemaVersion":"1.0","description":"Document to hold regional settings for Session Manager","sessionType":"Standard_Stream","inputs":{"s3BucketName":"","s3KeyPrefix":"","s3EncryptionEnabled":true,"cloudWatchLogGroupName":"","cloudWatchEncryptionEnabled":true,"kmsKeyId":"","runAsEnabled":false,"runAsDefaultUser":""}}""";

    /// <summary>
    /// The document's JSON; null: there is none. The account's preferences document is one only once the account made it, though a session may be started
    /// without (emulators §4.1).
    /// </summary>
    public static string? Content(string name) => s_contents.GetValueOrDefault(name)?.Trim();

    /// <summary>What an agent gets as DocumentContent, preferences with their defaults included.</summary>
    public static string ContentForAgent(string name) => Content(name) ?? ShellContent;

    /// <summary>Puts a call's parameters in.</summary>
    /// <exception cref="AwsError">InvalidDocument or ValidationException.</exception>
    public static FilledDocument Fill(string? name, IReadOnlyDictionary<string, IReadOnlyList<string>> given)
    {
        name ??= DefaultShell;
        if (name != DefaultShell && !s_contents.ContainsKey(name))
            throw new AwsError("InvalidDocument", $"Document with name {name} does not exist.");
        using var document = JsonDocument.Parse(ContentForAgent(name));
        var root = document.RootElement;
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        var declared = root.TryGetProperty("parameters", out var declarations) ? declarations.EnumerateObject().ToDictionary(p => p.Name, p => p.Value) : [];
        foreach (var (parameter, values) in given)
        {
            if (!declared.TryGetValue(parameter, out var declaration))
                throw new AwsError("ValidationException", $"Parameter {parameter} is not declared in document {name}.");
            if (values is not [var value])
                throw new AwsError("ValidationException", $"Parameter {parameter} of type String takes one value.");
            if (declaration.Text("allowedPattern") is { } pattern && !Regex.IsMatch(value, pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)))
                throw new AwsError("ValidationException", $"Value {value} of parameter {parameter} does not match the allowed pattern {pattern}.");
            parameters[parameter] = value;
        }
        foreach (var (parameter, declaration) in declared)
        {
            if (parameters.ContainsKey(parameter))
                continue;
            parameters[parameter] = declaration.Text("default") ?? throw new AwsError("ValidationException", $"Parameter {parameter} of document {name} is required.");
        }
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        if (root.TryGetProperty("properties", out var declaredProperties))
        {
            foreach (var property in declaredProperties.EnumerateObject())
            {
                foreach (var leaf in property.Value.ValueKind == JsonValueKind.Object ? property.Value.EnumerateObject().ToList() : [property])
                    properties[leaf.Name] = Placeholder().Replace(leaf.Value.ToString(), match => parameters.GetValueOrDefault(match.Groups[1].Value, ""));
            }
        }
        return new(name, root.Text("sessionType") ?? "Standard_Stream", parameters, properties);
    }

    [GeneratedRegex(@"\{\{\s*(\w+)\s*\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
