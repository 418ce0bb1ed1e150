namespace Fumidai.Aws;

/// <summary>
/// The AWS CLI's two files, read as the CLI reads them: <c>config</c> with <c>[profile NAME]</c>, <c>[sso-session NAME]</c> and
/// <c>[services NAME]</c>, and <c>credentials</c> with <c>[NAME]</c>, whose values win. A missing file is an empty one.
/// </summary>
internal sealed class ConfigFiles
{
    private readonly Dictionary<string, ConfigSection> _profiles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConfigSection> _ssoSessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConfigSection> _services = new(StringComparer.Ordinal);

    public string ConfigPath { get; private init; } = "";

    public string CredentialsPath { get; private init; } = "";

    public ConfigSection? Profile(string name) => _profiles.GetValueOrDefault(name);

    public ConfigSection? SsoSession(string name) => _ssoSessions.GetValueOrDefault(name);

    public ConfigSection? Services(string name) => _services.GetValueOrDefault(name);

    public IEnumerable<string> ProfileNames => _profiles.Keys;

    /// <exception cref="AwsFailure">Configuration: a line that is none, with file and line number (never its text: it may be a key).</exception>
    public static ConfigFiles Read(AwsEnvironment environment)
    {
        var files = new ConfigFiles
        {
            ConfigPath = environment.Expand(environment["AWS_CONFIG_FILE"] ?? Path.Combine("~", ".aws", "config")),
            CredentialsPath = environment.Expand(environment["AWS_SHARED_CREDENTIALS_FILE"] ?? Path.Combine("~", ".aws", "credentials")),
        };
        Parse(files.ConfigPath, files.SectionOfConfig);
        Parse(files.CredentialsPath, name => Section(files._profiles, name));
        return files;
    }

    private ConfigSection? SectionOfConfig(string header)
    {
        if (header == "default")
            return Section(_profiles, "default");
        var space = header.IndexOfAny([' ', '\t']);
        if (space < 0)
            return null;
        var name = header[space..].Trim().Trim('"', '\'');
        return header[..space] switch
        {
            "profile" => Section(_profiles, name),
            "sso-session" => Section(_ssoSessions, name),
            "services" => Section(_services, name),
            _ => null,
        };
    }

    private static ConfigSection Section(Dictionary<string, ConfigSection> sections, string name)
    {
        if (!sections.TryGetValue(name, out var section))
            sections[name] = section = new ConfigSection(name);
        return section;
    }

    private static void Parse(string path, Func<string, ConfigSection?> open)
    {
        string[] lines;
        try
        {
            lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AwsFailure(AwsFailureKind.Configuration, path, null, $"cannot read {path}: {e.Message}", e);
        }
        ConfigSection? section = null;
        string? key = null;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] is '#' or ';')
                continue;
            if (line[0] == '[' && line.IndexOf(']') is > 0 and var end)
            {
                section = open(line[1..end].Trim());
                key = null;
                continue;
            }
            var equals = line.IndexOfAny(['=', ':']);
            var isNested = char.IsWhiteSpace(lines[i][0]) && key is not null;
            if (isNested && equals > 0)
                section?.Set(key!, line[..equals].Trim(), line[(equals + 1)..].Trim());
            else if (!isNested && equals > 0)
                section?.Set(key = line[..equals].Trim(), line[(equals + 1)..].Trim());
            else if (!isNested)
                throw new AwsFailure(AwsFailureKind.Configuration, path, null, $"{path} line {i + 1} is neither a [section] nor a key = value");
        }
    }
}
