namespace Fumidai;

/// <summary>What fumidai.yaml says, checked.</summary>
internal sealed record SettingsFile
{
    internal const string Name = "fumidai.yaml";

    /// <summary>Keys allowed outside <c>targets:</c>; docs/fumidai.schema.json lists the same (a test compares).</summary>
    internal static readonly string[] TopKeys =
        ["bastion", "ca_file", "endpoint_url", "identity", "my_ip_url", "profile", "region", "routes", "sessions", "targets", "via"];

    /// <summary>Keys of one entry of <c>targets:</c>.</summary>
    internal static readonly string[] TargetKeys =
        ["auth", "bastion", "ca_file", "database", "identity", "port", "secret", "sessions", "target", "user", "via"];

    /// <summary>Keys of a <c>bastion:</c> written as a mapping.</summary>
    internal static readonly string[] BastionKeys = ["id", "port", "tag", "user"];

    /// <summary>Keys of <c>routes:</c>.</summary>
    internal static readonly string[] RouteKeys = ["eice_duration", "forbid"];

    internal IReadOnlyCollection<string> ForbiddenRoutes { get; init; } = [];
    internal TimeSpan? EiceDuration { get; init; }
    internal string? Profile { get; init; }
    internal string? Region { get; init; }
    internal string? EndpointUrl { get; init; }
    internal Uri? MyIpUrl { get; init; }
    internal TargetSettings? Defaults { get; init; }
    internal IReadOnlyDictionary<string, TargetSettings> Targets { get; init; } = new Dictionary<string, TargetSettings>();

    /// <summary>The file to read: the one named, else the nearest from the working directory up, else the user's; null: none.</summary>
    internal static string? Locate(string? named, string workingDirectory, Func<string, string?> environment, bool mayBeMissing = false)
    {
        if (named is not null)
        {
            var path = Path.GetFullPath(UserFolders.Expand(named, environment), workingDirectory);
            return mayBeMissing || File.Exists(path) ? path : throw new FumidaiException(Reason.Configuration, $"cannot read {path}", "there is no such file");
        }
        for (var folder = new DirectoryInfo(workingDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, Name);
            if (File.Exists(path))
                return path;
        }
        return UserFolders.Config(environment) is { } config && File.Exists(Path.Combine(config, Name)) ? Path.Combine(config, Name) : null;
    }

    /// <exception cref="FumidaiException">Configuration, with <c>file:line</c>.</exception>
    internal static SettingsFile Read(string path, Func<string, string?> environment)
    {
        string text;
        try
        {
            var size = new FileInfo(path).Length;
            if (size > MaxLength)
                throw new FumidaiException(Reason.Configuration, $"cannot read {path}", $"it has {size} bytes; a settings file has at most {MaxLength}");
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(Reason.Configuration, $"cannot read {path}", e.Message, inner: e);
        }
        var reader = new SettingsReader(path, environment);
        var top = YamlMap.Parse(path, text);
        top.Allow(TopKeys);
        var targets = new Dictionary<string, TargetSettings>(StringComparer.Ordinal);
        foreach (var (name, map) in top.Maps("targets"))
            targets.Add(name, reader.Target(name, map));
        return new SettingsFile
        {
            Profile = top.Text("profile"),
            Region = top.Text("region"),
            EndpointUrl = top.Value("endpoint_url", v => { _ = SettingsValue.HttpUrl(v); return v; }),
            MyIpUrl = top.Value("my_ip_url", SettingsValue.HttpUrl),
            Defaults = reader.Defaults(top),
            Targets = targets,
            ForbiddenRoutes = Forbidden(top),
            EiceDuration = top.Nested("routes")?.Value<TimeSpan?>("eice_duration", v => SettingsValue.EiceDuration(v)),
        };
    }

    private static IReadOnlyCollection<string> Forbidden(YamlMap top)
    {
        if (top.Nested("routes") is not { } routes)
            return top.Value<string[]>("routes", _ => throw new FormatException("this is a mapping: {forbid: [ssh]}")) ?? [];
        routes.Allow(RouteKeys);
        return [.. routes.Texts("forbid", SettingsValue.OneRoute)];
    }

    private const int MaxLength = 1024 * 1024;
}

/// <summary>Reads entries of one file; paths in it are relative to its folder.</summary>
file sealed class SettingsReader(string path, Func<string, string?> environment)
{
    internal TargetSettings Target(string name, YamlMap map)
    {
        map.Allow(SettingsFile.TargetKeys);
        if (name.Length == 0 || name.Contains('/', StringComparison.Ordinal))
            throw map.Wrong($"“{name}” cannot name a target: a name is not empty and has no slash");
        return Common(map) with
        {
            Name = name,
            Target = map.Value("target", v => { _ = TargetName.Parse(v); return v; })
                ?? throw map.Wrong($"the target {name} does not say what it is: target: cluster/ID, instance/ID or host/NAME:PORT"),
            Port = map.Number<int?>("port", v => SettingsValue.Port(v, least: 0)),
            Auth = map.Value("auth", SettingsValue.Auth),
            Secret = map.Text("secret"),
            Database = map.Text("database"),
            User = map.Text("user"),
        };
    }

    internal TargetSettings Defaults(YamlMap top) => Common(top);

    private TargetSettings Common(YamlMap map)
    {
        var common = new TargetSettings
        {
            Name = "",
            Target = "",
            Via = map.Value("via", SettingsValue.Via),
            Sessions = map.Number<int?>("sessions", v => SettingsValue.Sessions(v)),
            Identity = FilePath(map.Text("identity")),
            CaFile = FilePath(map.Text("ca_file")),
        };
        if (map.Nested("bastion") is not { } bastion)
            return common with { Bastion = map.Value("bastion", SettingsValue.Bastion) };
        bastion.Allow(SettingsFile.BastionKeys);
        var id = bastion.Value("id", v => SettingsValue.Bastion(v.StartsWith("i-", StringComparison.Ordinal) ? v : throw new FormatException($"“{v}” is not an instance id: i-…")));
        var tag = bastion.Value("tag", v => SettingsValue.Bastion("tag:" + v));
        if (id is not null && tag is not null)
            throw bastion.Wrong("a bastion is named by id or by tag, not by both");
        return common with
        {
            Bastion = id ?? tag,
            BastionUser = bastion.Text("user"),
            BastionPort = bastion.Number<int?>("port", v => SettingsValue.Port(v, least: 1)),
        };
    }

    private string? FilePath(string? value) =>
        value is null ? null : Path.GetFullPath(UserFolders.Expand(value, environment), Path.GetDirectoryName(path)!);
}
