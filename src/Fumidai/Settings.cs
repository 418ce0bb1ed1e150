namespace Fumidai;

/// <summary>What the command line said; null where it said nothing.</summary>
public sealed record CommandLineSettings
{
    /// <summary><c>--via</c>: auto, ssm, ssh, eice (more routes come later).</summary>
    public string? Via { get; init; }
    /// <summary><c>--bastion</c>: <c>i-…</c> or <c>tag:KEY=VALUE</c>.</summary>
    public string? Bastion { get; init; }
    /// <summary><c>--port</c>: local port; 0 or null: the target's entry, else any free one.</summary>
    public int? Port { get; init; }
    /// <summary><c>--sessions</c>: Session Manager sessions to one destination at most.</summary>
    public int? Sessions { get; init; }
    /// <summary><c>--keep-alive</c>: whether idle sessions are kept from their idle timeout.</summary>
    public bool KeepAlive { get; init; }
    /// <summary><c>--profile</c>.</summary>
    public string? Profile { get; init; }
    /// <summary><c>--region</c>.</summary>
    public string? Region { get; init; }
    /// <summary><c>--endpoint-url</c>.</summary>
    public string? EndpointUrl { get; init; }
    /// <summary><c>--config</c>: the file to read instead of looking for one.</summary>
    public string? Config { get; init; }
    /// <summary><c>--identity</c>: private key file for the ssh route.</summary>
    public string? Identity { get; init; }
    /// <summary><c>--secret</c>: secret id or ARN to sign in with.</summary>
    public string? Secret { get; init; }
    /// <summary><c>--database</c>.</summary>
    public string? Database { get; init; }
    /// <summary><c>--user</c>.</summary>
    public string? User { get; init; }
    /// <summary><c>--ca-file</c>: roots to trust for the database instead of the shipped ones.</summary>
    public string? CaFile { get; init; }
    /// <summary><c>--auth</c>: auto, iam or secret.</summary>
    public string? Auth { get; init; }
    /// <summary><c>--allow-md5</c>: whether the auth proxy answers an MD5 challenge.</summary>
    public bool AllowMd5 { get; init; }
}

/// <summary>Everything a run needs to know: flags over environment over <c>fumidai.yaml</c>, checked once, then immutable.</summary>
public sealed record Settings
{
    /// <summary>The file read, if any.</summary>
    public string? File { get; init; }
    /// <summary>The command line.</summary>
    public required CommandLineSettings CommandLine { get; init; }
    /// <summary>AWS settings.</summary>
    public required Fumidai.Aws.AwsSettings Aws { get; init; }
    /// <summary>Targets named in the file.</summary>
    public IReadOnlyDictionary<string, TargetSettings> Targets { get; init; } = new Dictionary<string, TargetSettings>();
    /// <summary>Routes that the file forbids (<c>routes: {forbid: [ssh]}</c>): they are never opened, whatever else says so.</summary>
    public IReadOnlyCollection<string> ForbiddenRoutes { get; init; } = [];

    /// <summary>How long one connection through an EC2 Instance Connect Endpoint is asked to live at most (<c>routes: {eice_duration: 30m}</c>); null: the hour that AWS allows.</summary>
    public TimeSpan? EiceDuration { get; init; }
    /// <summary>Where to ask for one's own address; default AWS's address service.</summary>
    public Uri MyIpUrl { get; init; } = new("https://checkip.amazonaws.com/");

    /// <summary>Reads and merges. Looks for fumidai.yaml in the working directory, its parents, then the user's config folder.</summary>
    /// <exception cref="FumidaiException">Configuration: unknown keys, wrong values, with file and line.</exception>
    public static Settings Load(CommandLineSettings commandLine, string workingDirectory, Func<string, string?> environment) =>
        SettingsLoading.Load(commandLine, workingDirectory, environment, mayLackFile: false);

    /// <summary>The same for those who write the file: one that was named and does not exist counts as empty, and <see cref="File"/> says where it belongs.</summary>
    /// <inheritdoc cref="Load"/>
    public static Settings LoadToWrite(CommandLineSettings commandLine, string workingDirectory, Func<string, string?> environment) =>
        SettingsLoading.Load(commandLine, workingDirectory, environment, mayLackFile: true);

    /// <summary>What the <c>FUMIDAI_*</c> variables said, in the command line's shape.</summary>
    internal CommandLineSettings FromEnvironment { get; init; } = new();
    /// <summary>What the file says outside <c>targets:</c>.</summary>
    internal TargetSettings? Defaults { get; init; }
    /// <summary>The environment the settings were loaded with.</summary>
    internal Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;
}

/// <summary>One entry of <c>targets:</c> in fumidai.yaml.</summary>
public sealed record TargetSettings
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary><c>cluster/ID</c>, <c>instance/ID</c> or <c>host/NAME:PORT</c>.</summary>
    public required string Target { get; init; }
    /// <summary>Route.</summary>
    public string? Via { get; init; }
    /// <summary>Bastion.</summary>
    public string? Bastion { get; init; }
    /// <summary>Login and port of the bastion's sshd.</summary>
    public string? BastionUser { get; init; }
    /// <summary>Port of the bastion's sshd.</summary>
    public int? BastionPort { get; init; }
    /// <summary>Private key file for the ssh route.</summary>
    public string? Identity { get; init; }
    /// <summary>Session Manager sessions at most.</summary>
    public int? Sessions { get; init; }
    /// <summary>Local port.</summary>
    public int? Port { get; init; }
    /// <summary>Secret to sign in with.</summary>
    public string? Secret { get; init; }
    /// <summary>Database name.</summary>
    public string? Database { get; init; }
    /// <summary>User name.</summary>
    public string? User { get; init; }
    /// <summary>Roots for the database's certificate.</summary>
    public string? CaFile { get; init; }
    /// <summary>How to sign in: auto, iam or secret.</summary>
    public string? Auth { get; init; }
}
