using System.Text.Json;
using Fumidai.SessionManager;

namespace Fumidai.Cli;

/// <summary>What a caller of session-manager-plugin wants (protocol §1.3).</summary>
internal abstract record PluginInvocation
{
    /// <summary>The environment variable by which the AWS CLI passes the session, and the word that says so.</summary>
    internal const string ResponseVariable = "AWS_SSM_START_SESSION_RESPONSE";

    /// <summary>No argument: is it installed?</summary>
    internal sealed record Probe : PluginInvocation;

    /// <summary><c>--version</c> alone.</summary>
    internal sealed record Version : PluginInvocation;

    /// <summary>One or two arguments that mean nothing.</summary>
    internal sealed record UnknownOperation : PluginInvocation;

    /// <summary>An operation other than StartSession.</summary>
    internal sealed record InvalidOperation : PluginInvocation;

    /// <summary>Arguments that cannot be used, and why.</summary>
    internal sealed record Broken(string Why) : PluginInvocation;

    /// <summary>Serve this session.</summary>
    internal sealed record Session : PluginInvocation
    {
        internal required StreamTicket Ticket { get; init; }
        internal required string Region { get; init; }
        /// <summary>Null: the environment decides.</summary>
        internal string? Profile { get; init; }
        /// <summary>The target given to StartSession; empty when the caller did not tell.</summary>
        internal string Target { get; init; } = "";
        internal string? DocumentName { get; init; }
        /// <summary>The document's parameters, first values.</summary>
        internal IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();
        /// <summary>Where the caller asks SSM; null: the region's own.</summary>
        internal string? EndpointUrl { get; init; }
        /// <summary>Callers so old that they pass no profile: KMS encryption is refused to them.</summary>
        internal bool IsLegacy { get; init; }
        /// <summary>Whether stdout belongs to ssh.</summary>
        internal bool IsSsh => DocumentName?.Contains("SSH", StringComparison.OrdinalIgnoreCase) ?? false;
    }

    /// <param name="arguments">Without argv[0].</param>
    /// <param name="environment">Reads a variable.</param>
    internal static PluginInvocation Read(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        switch (arguments)
        {
            case []:
                return new Probe();
            case ["--version"]:
                return new Version();
            case [_] or [_, _]:
                return new UnknownOperation();
        }
        if (arguments[2] != "StartSession")
            return new InvalidOperation();
        var response = arguments[0].StartsWith(ResponseVariable, StringComparison.Ordinal) ? environment(arguments[0]) : arguments[0];
        if (string.IsNullOrEmpty(response))
            return new Broken(arguments[0].Length == 0 ? "no session was given" : $"{ResponseVariable} is not set");
        try
        {
            return Read(response, arguments);
        }
        catch (JsonException)
        {
            // The parser's words could quote the token.
            return new Broken("the session or its input is not a JSON object");
        }
    }

    private static PluginInvocation Read(string response, IReadOnlyList<string> arguments)
    {
        using var session = JsonDocument.Parse(response);
        var (id, token, url) = (Text(session.RootElement, "SessionId"), Text(session.RootElement, "TokenValue"), Text(session.RootElement, "StreamUrl"));
        if (string.IsNullOrEmpty(id) || string.IsNullOrEmpty(token) || string.IsNullOrEmpty(url))
            return new Broken("the session lacks SessionId, TokenValue or StreamUrl");
        using var input = arguments.Count > 4 && arguments[4].Length > 0 ? JsonDocument.Parse(arguments[4]) : null;
        return new Session
        {
            Ticket = new StreamTicket(id, token, url),
            Region = arguments[1],
            Profile = arguments.Count > 3 && arguments[3].Length > 0 ? arguments[3] : null,
            Target = input is null ? "" : Text(input.RootElement, "Target") ?? "",
            DocumentName = input is null ? null : Text(input.RootElement, "DocumentName"),
            Parameters = input is null ? new() : FirstValues(input.RootElement),
            EndpointUrl = arguments.Count > 5 ? SsmEndpoint(arguments[5]) : null,
            IsLegacy = arguments.Count == 3,
        };
    }

    // aws ecs execute-command passes the endpoint of ECS: sessions are resumed at SSM (protocol §1.3).
    private static string? SsmEndpoint(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) && !IsAmazonEcs(parsed.Host) ? url : null;

    private static bool IsAmazonEcs(string host) =>
        (host.StartsWith("ecs.", StringComparison.OrdinalIgnoreCase) || host.StartsWith("ecs-fips.", StringComparison.OrdinalIgnoreCase) || host.Contains(".ecs.", StringComparison.OrdinalIgnoreCase))
        && (host.Contains("amazonaws", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".api.aws", StringComparison.OrdinalIgnoreCase));

    // ECS spells the names with a small first letter.
    private static JsonElement? Member(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException();
        foreach (var member in json.EnumerateObject())
        {
            if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return member.Value;
        }
        return null;
    }

    private static string? Text(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static Dictionary<string, string> FirstValues(JsonElement input)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Member(input, "Parameters") is not { ValueKind: JsonValueKind.Object } given)
            return parameters;
        foreach (var parameter in given.EnumerateObject())
        {
            var value = parameter.Value is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? list[0] : parameter.Value;
            if (value.ValueKind == JsonValueKind.String)
                parameters[parameter.Name] = value.GetString()!;
        }
        return parameters;
    }
}
