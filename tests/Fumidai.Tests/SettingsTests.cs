using Xunit;

namespace Fumidai.Tests;

public sealed class SettingsTests : IDisposable
{
    private readonly Requests.Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    private Settings Load(string? yaml, CommandLineSettings? line = null, params (string Name, string Value)[] variables)
    {
        if (yaml is not null)
            _folder.Write("fumidai.yaml", yaml);
        var environment = variables.ToDictionary(v => v.Name, v => v.Value);
        return Settings.Load(line ?? new(), _folder.Path, environment.GetValueOrDefault);
    }

    private FumidaiException Fault(string yaml) => Assert.Throws<FumidaiException>(() => Load(yaml));

    private static TunnelSettings Of(Settings settings, string name) => TunnelSettings.Of(
        settings, new Target { Name = name, Address = new("h", 1), Settings = settings.Targets.GetValueOrDefault(name) });

    private static CommandLineSettings Flag(string key, string value) => key switch
    {
        "via" => new() { Via = value },
        "bastion" => new() { Bastion = value },
        "identity" => new() { Identity = value },
        _ => new() { CaFile = value },
    };

    private static string? Read(string key, TunnelSettings settings) => key switch
    {
        "via" => settings.Via,
        "bastion" => settings.Bastion,
        "identity" => settings.Identity,
        _ => settings.CaFile,
    };

    [Theory]
    [InlineData("via", "FUMIDAI_VIA", "ssm", "ssh", "auto")]
    [InlineData("bastion", "FUMIDAI_BASTION", "i-0a", "i-0b", "tag:role=bastion")]
    [InlineData("identity", "FUMIDAI_IDENTITY", "/k/a", "/k/b", "/k/c")]
    [InlineData("ca_file", "FUMIDAI_CA_FILE", "/c/a", "/c/b", "/c/c")]
    public void A_flag_beats_the_environment_which_beats_the_target_which_beats_the_top_of_the_file(string key, string variable, string a, string b, string c)
    {
        var both = $"{key}: {c}\ntargets:\n  app:\n    target: cluster/app\n    {key}: {b}\n";
        Assert.Equal(a, Read(key, Of(Load(both, Flag(key, a), (variable, b)), "app")));
        Assert.Equal(a, Read(key, Of(Load(both, null, (variable, a)), "app")));
        Assert.Equal(b, Read(key, Of(Load(both), "app")));
        Assert.Equal(c, Read(key, Of(Load($"{key}: {c}\ntargets:\n  app:\n    target: cluster/app\n"), "app")));
        Assert.Equal(b, Read(key, Of(Load(both, null, (variable, "")), "app")));
    }

    [Fact]
    public void What_belongs_to_a_target_alone_follows_the_same_order()
    {
        const string yaml = "targets:\n  app: {target: cluster/app, port: 15432, secret: s3, database: d3, user: u3}\n";
        var fromFile = Of(Load(yaml), "app");
        Assert.Equal((15432, "s3", "d3", "u3"), (fromFile.Port, fromFile.Secret, fromFile.Database, fromFile.User));
        var fromEnvironment = Of(Load(yaml, null, ("FUMIDAI_PORT", "2"), ("FUMIDAI_SECRET", "s2"), ("FUMIDAI_DATABASE", "d2"), ("FUMIDAI_USER", "u2")), "app");
        Assert.Equal((2, "s2", "d2", "u2"), (fromEnvironment.Port, fromEnvironment.Secret, fromEnvironment.Database, fromEnvironment.User));
        var fromLine = Of(Load(yaml, new() { Port = 0, Secret = "s1", Database = "d1", User = "u1" }, ("FUMIDAI_PORT", "2")), "app");
        Assert.Equal((0, "s1", "d1", "u1"), (fromLine.Port, fromLine.Secret, fromLine.Database, fromLine.User));
    }

    [Fact]
    public void Without_any_source_the_defaults_hold()
    {
        var settings = Load(null);
        Assert.Null(settings.File);
        Assert.Equal("https://checkip.amazonaws.com/", settings.MyIpUrl.ToString());
        Assert.Equal(("auto", 0), (Of(settings, "x").Via, Of(settings, "x").Port));
    }

    [Fact]
    public void The_file_s_AWS_settings_are_passed_on_only_where_the_environment_is_silent()
    {
        const string yaml = "profile: p\nregion: eu-west-1\nendpoint_url: http://127.0.0.1:1\nmy_ip_url: http://127.0.0.1:2/ip\n";
        var file = Load(yaml);
        Assert.Equal(("p", "eu-west-1", "http://127.0.0.1:1"), (file.Aws.Profile, file.Aws.Region, file.Aws.EndpointUrl));
        Assert.Equal("http://127.0.0.1:2/ip", file.MyIpUrl.ToString());
        var environment = Load(yaml, null, ("AWS_PROFILE", "q"), ("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_ENDPOINT_URL", "http://x"), ("FUMIDAI_MY_IP_URL", "https://me/"));
        Assert.Equal((null, null, null), (environment.Aws.Profile, environment.Aws.Region, environment.Aws.EndpointUrl));
        Assert.Equal("https://me/", environment.MyIpUrl.ToString());
        Assert.Null(Load(yaml, null, ("AWS_ACCESS_KEY_ID", "AKIA")).Aws.Profile);
        var line = Load(yaml, new() { Profile = "r", Region = "sa-east-1", EndpointUrl = "https://e" }, ("AWS_PROFILE", "q"));
        Assert.Equal(("r", "sa-east-1", "https://e"), (line.Aws.Profile, line.Aws.Region, line.Aws.EndpointUrl));
    }

    [Fact]
    public void The_nearest_file_upwards_is_read_then_the_user_s_own()
    {
        var below = Directory.CreateDirectory(_folder.File("a/b")).FullName;
        var config = _folder.Write("config/fumidai/fumidai.yaml", "region: eu-south-1\n");
        string? Environment(string name) => name == "XDG_CONFIG_HOME" ? _folder.File("config") : null;
        Assert.Equal(config, Settings.Load(new(), below, Environment).File);
        var upper = _folder.Write("fumidai.yaml", "region: eu-west-2\n");
        Assert.Equal(upper, Settings.Load(new(), below, Environment).File);
        var nearer = _folder.Write("a/fumidai.yaml", "region: eu-west-3\n");
        Assert.Equal(nearer, Settings.Load(new(), below, Environment).File);
        Assert.Equal(config, Settings.Load(new() { Config = config }, below, Environment).File);
    }

    [Fact]
    public void A_named_file_that_is_missing_is_an_error()
    {
        var e = Assert.Throws<FumidaiException>(() => Load(null, new() { Config = "nowhere.yaml" }));
        Assert.Equal(Reason.Configuration, e.Reason);
        Assert.Contains("nowhere.yaml", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_in_the_file_are_relative_to_it_and_know_the_home_folder()
    {
        var settings = Load("identity: keys/id\nca_file: ~/roots.pem\n", null, ("HOME", "/home/me"));
        Assert.Equal(_folder.File("keys/id"), Of(settings, "x").Identity);
        Assert.Equal("/home/me/roots.pem", Of(settings, "x").CaFile);
    }

    [Fact]
    public void A_bastion_may_be_a_word_or_a_mapping()
    {
        var settings = Load("""
            bastion: {tag: role=bastion, user: ubuntu, port: 2222}
            targets:
              app: {target: cluster/app, bastion: i-0abc}
              other: {target: instance/x, bastion: {user: admin}}
            """);
        Assert.Equal(("i-0abc", "ubuntu", 2222), (Of(settings, "app").Bastion, Of(settings, "app").BastionUser, Of(settings, "app").BastionPort));
        Assert.Equal(("tag:role=bastion", "admin", 2222), (Of(settings, "other").Bastion, Of(settings, "other").BastionUser, Of(settings, "other").BastionPort));
    }

    [Theory]
    [InlineData("region: x\nreegion: y\n", 2, "did you mean region?")]
    [InlineData("zzzzzzz: y\n", 1, "known are bastion, ca_file")]
    [InlineData("targets:\n  app:\n    target: cluster/app\n    prot: 1\n", 4, "did you mean port?")]
    [InlineData("targets:\n  app:\n    target: cluster/app\n    port: many\n", 4, "not a port")]
    [InlineData("targets:\n  app:\n    target: cluster/app\n    port: 70000\n", 4, "not a port")]
    [InlineData("targets:\n  app:\n    target: cluster/app\n    port: \"15432\"\n", 4, "a number, not a text")]
    [InlineData("targets:\n  app:\n    target: app\n", 3, "not a target")]
    [InlineData("targets:\n  app:\n    via: ssm\n", 2, "does not say what it is")]
    [InlineData("targets:\n  a/b:\n    target: cluster/app\n", 2, "cannot name a target")]
    [InlineData("targets: [a, b]\n", 1, "is a mapping")]
    [InlineData("routes: [ssh]\n", 1, "not a list")]
    [InlineData("routes:\n  forbid: ssh\n", 2, "is a list")]
    [InlineData("routes: {forbid: [sssh]}\n", 1, "not a route")]
    [InlineData("routes: {eice_duration: 2h}\n", 1, "10s to 60m")]
    [InlineData("routes: {eice_duration: 61m}\n", 1, "10s to 60m")]
    [InlineData("region: [a]\n", 1, "not a list")]
    [InlineData("targets:\n  app: cluster/app\n", 2, "app is a mapping")]
    [InlineData("via: rocket\n", 1, "not a route")]
    [InlineData("via: direct\n", 1, "not there yet")]
    [InlineData("bastion: web-1\n", 1, "not a bastion")]
    [InlineData("bastion: {id: i-1, tag: a=b}\n", 1, "not by both")]
    [InlineData("bastion: {id: web}\n", 1, "not an instance id")]
    [InlineData("my_ip_url: ftp://x\n", 1, "not an http or https URL")]
    [InlineData("region: a\nregion: b\n", 2, "already set in line 1")]
    [InlineData("region:\n", 1, "has no value")]
    [InlineData("region: {a: b}\n", 1, "one value")]
    [InlineData("password: hunter2\n", 1, "does not belong in this file")]
    [InlineData("targets:\n  app:\n    target: cluster/app\n    password: hunter2\n", 4, "does not belong in this file")]
    [InlineData("region: &a x\nprofile: *a\n", 1, "anchors are not used")]
    [InlineData("region: !env X\n", 1, "tags are not used")]
    [InlineData("- a\n", 1, "keys with values")]
    [InlineData("region: x\n---\nregion: y\n", 2, "one document")]
    [InlineData("profile: p\nregion: \"x\n", 2, "not YAML")]
    [InlineData("region: x\ntargets:\n\tapp: x\n", 3, "not YAML")]
    public void A_wrong_file_names_its_line_and_what_would_be_right(string yaml, int line, string words)
    {
        var e = Fault(yaml);
        Assert.Equal(Reason.Configuration, e.Reason);
        Assert.StartsWith($"{_folder.File("fumidai.yaml")}:{line}: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    [InlineData("~\n")]
    [InlineData("targets:\n")]
    public void An_empty_file_says_nothing_and_is_no_error(string yaml) => Assert.Empty(Load(yaml).Targets);

    [Fact]
    public void A_wrong_flag_is_a_usage_error_and_a_wrong_variable_a_configuration_error()
    {
        var flag = Assert.Throws<FumidaiException>(() => Load(null, new() { Via = "pigeon" }));
        Assert.Equal(Reason.Usage, flag.Reason);
        Assert.StartsWith("--via", flag.Message, StringComparison.Ordinal);
        var variable = Assert.Throws<FumidaiException>(() => Load(null, null, ("FUMIDAI_PORT", "x")));
        Assert.Equal(Reason.Configuration, variable.Reason);
        Assert.Contains("FUMIDAI_PORT", variable.Message, StringComparison.Ordinal);
    }
}
