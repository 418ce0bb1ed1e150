using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>Merges the sources of settings: flags over environment over fumidai.yaml.</summary>
internal static class SettingsLoading
{
    /// <summary>Every variable read here; <c>AWS_*</c> is read by Fumidai.Aws.</summary>
    internal static readonly string[] Variables =
    [
        "FUMIDAI_AUTH", "FUMIDAI_BASTION", "FUMIDAI_CA_FILE", "FUMIDAI_CONFIG", "FUMIDAI_DATABASE", "FUMIDAI_IDENTITY", "FUMIDAI_IDENTITY_PASSPHRASE",
        "FUMIDAI_MY_IP_URL", "FUMIDAI_PORT", "FUMIDAI_SECRET", "FUMIDAI_SESSIONS", "FUMIDAI_USER", "FUMIDAI_VIA",
    ];

    internal static Settings Load(CommandLineSettings commandLine, string workingDirectory, Func<string, string?> environment, bool mayLackFile)
    {
        string? Get(string name) => environment(name) is { Length: > 0 } value ? value : null;

        CheckCommandLine(commandLine);
        var variables = FromVariables(Get);
        var path = SettingsFile.Locate(commandLine.Config ?? variables.Config, workingDirectory, environment, mayLackFile);
        var file = path is null || (mayLackFile && !File.Exists(path)) ? new SettingsFile() : SettingsFile.Read(path, environment);

        // AWS's own variables stand between flags and file, and Fumidai.Aws reads them itself: a value of the file is passed on
        // only where they are silent. Keys in the environment are a whole identity, so they silence the file's profile as well.
        var profile = Get("AWS_PROFILE") ?? Get("AWS_DEFAULT_PROFILE") ?? Get("AWS_ACCESS_KEY_ID");
        var region = Get("AWS_REGION") ?? Get("AWS_DEFAULT_REGION");
        return new Settings
        {
            File = path,
            CommandLine = commandLine,
            FromEnvironment = variables,
            Environment = environment,
            Defaults = file.Defaults,
            Targets = file.Targets,
            ForbiddenRoutes = file.ForbiddenRoutes,
            EiceDuration = file.EiceDuration,
            Aws = new AwsSettings
            {
                Profile = commandLine.Profile ?? (profile is null ? file.Profile : null),
                Region = commandLine.Region ?? (region is null ? file.Region : null),
                EndpointUrl = commandLine.EndpointUrl ?? (Get("AWS_ENDPOINT_URL") is null ? file.EndpointUrl : null),
            },
            MyIpUrl = Get("FUMIDAI_MY_IP_URL") is { } url
                ? Checked(() => SettingsValue.HttpUrl(url), "FUMIDAI_MY_IP_URL")
                : file.MyIpUrl ?? new Settings { CommandLine = commandLine, Aws = new AwsSettings() }.MyIpUrl,
        };
    }

    private static CommandLineSettings FromVariables(Func<string, string?> get) => new()
    {
        Via = get("FUMIDAI_VIA") is { } via ? Checked(() => SettingsValue.Via(via), "FUMIDAI_VIA") : null,
        Bastion = get("FUMIDAI_BASTION") is { } bastion ? Checked(() => SettingsValue.Bastion(bastion), "FUMIDAI_BASTION") : null,
        Port = get("FUMIDAI_PORT") is { } port ? Checked(() => SettingsValue.Port(port, least: 0), "FUMIDAI_PORT") : null,
        Sessions = get("FUMIDAI_SESSIONS") is { } sessions ? Checked(() => SettingsValue.Sessions(sessions), "FUMIDAI_SESSIONS") : null,
        Config = get("FUMIDAI_CONFIG"),
        Identity = get("FUMIDAI_IDENTITY"),
        Secret = get("FUMIDAI_SECRET"),
        Database = get("FUMIDAI_DATABASE"),
        User = get("FUMIDAI_USER"),
        Auth = get("FUMIDAI_AUTH") is { } auth ? Checked(() => SettingsValue.Auth(auth), "FUMIDAI_AUTH") : null,
        CaFile = get("FUMIDAI_CA_FILE"),
    };

    private static void CheckCommandLine(CommandLineSettings line)
    {
        if (line.Via is { } via)
            CheckedFlag(() => SettingsValue.Via(via), "--via");
        if (line.Bastion is { } bastion)
            CheckedFlag(() => SettingsValue.Bastion(bastion), "--bastion");
        if (line.Auth is { } auth)
            CheckedFlag(() => SettingsValue.Auth(auth), "--auth");
        if (line.Port is { } port)
            CheckedFlag(() => SettingsValue.Port(port.ToString(CultureInfo.InvariantCulture), least: 0), "--port");
        if (line.Sessions is { } sessions)
            CheckedFlag(() => SettingsValue.Sessions(sessions.ToString(CultureInfo.InvariantCulture)), "--sessions");
        if (line.EndpointUrl is { } url)
            CheckedFlag(() => SettingsValue.HttpUrl(url), "--endpoint-url");
    }

    private static void CheckedFlag<T>(Func<T> read, string flag)
    {
        try
        {
            _ = read();
        }
        catch (FormatException e)
        {
            throw new FumidaiException(Reason.Usage, $"{flag} is wrong", e.Message);
        }
    }

    private static T Checked<T>(Func<T> read, string variable)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            throw new FumidaiException(Reason.Configuration, $"the environment variable {variable} is wrong", e.Message);
        }
    }
}
