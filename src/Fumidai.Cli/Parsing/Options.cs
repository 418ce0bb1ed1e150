using System.Globalization;
using Fumidai.Lab;

namespace Fumidai.Cli;

/// <summary>Every option there is (design §4).</summary>
internal static class Options
{
    internal static readonly OptionSpec Via = new("--via", "ROUTE", "auto (default: the best there is), ssm (Session Manager), ssh, eice (Instance Connect) or data-api (no network path)", OptionGroup.Route, OneOf("auto", "ssm", "ssh", "eice", "data-api"));
    internal static readonly OptionSpec Bastion = new("--bastion", "ID", "the bastion to go through: i-… or tag:KEY=VALUE; default: one that fits", OptionGroup.Route, BastionName);
    internal static readonly OptionSpec Identity = new("--identity", "FILE", "private key for ssh; default: a key made in memory and pushed for 60 seconds", OptionGroup.Route, NotEmpty);
    internal static readonly OptionSpec Port = new("--port", "N", "local port; default: any free one", OptionGroup.Route, Number(0, 65535));

    internal static readonly OptionSpec Drain = new("--drain", "TIME", "after SIGTERM let connections finish so long; default 30s, 0: at once", OptionGroup.Service, value => Duration.Read(value) is null ? Duration.Good : null);
    internal static readonly OptionSpec HealthPort = new("--health-port", "N", "serve /healthz, /readyz and Prometheus /metrics there; 0: any free port", OptionGroup.Service, Number(0, 65535));
    internal static readonly OptionSpec HealthAddress = new("--health-address", "IP", "address of the health port; default 127.0.0.1: this machine only", OptionGroup.Service, value => System.Net.IPAddress.TryParse(value, out _) ? null : "must be an IP address, such as 0.0.0.0");

    internal static readonly OptionSpec Sessions = new("--sessions", "N", "Session Manager sessions at most; connections are spread over them; default: 10", OptionGroup.Route, Number(1, 100));

    internal static readonly OptionSpec KeepAlive = new("--keep-alive", null, "keep idle Session Manager sessions from the account's idle timeout", OptionGroup.Route);

    internal static readonly OptionSpec SecretId = new("--secret", "ID", "Secrets Manager secret to sign in with; default: the cluster's own", OptionGroup.Database, NotEmpty);
    internal static readonly OptionSpec User = new("--user", "NAME", "database user", OptionGroup.Database, NotEmpty);
    internal static readonly OptionSpec DatabaseName = new("--database", "NAME", "database to open", OptionGroup.Database, NotEmpty);
    internal static readonly OptionSpec CaFile = new("--ca-file", "FILE", "PEM file of roots to trust for the database; default: those of Amazon RDS", OptionGroup.Database, NotEmpty);

    internal static readonly OptionSpec Auth = new("--auth", "HOW", "auto (default), iam (a token per connection) or secret", OptionGroup.Database, OneOf("auto", "iam", "secret"));
    internal static readonly OptionSpec AuthProxy = new("--auth-proxy", null, "sign in for the clients: they connect to the local port without TLS", OptionGroup.Database);
    internal static readonly OptionSpec NoAuthProxy = new("--no-auth-proxy", null, "let the program sign in itself, with the real name in PGHOST", OptionGroup.Database);
    internal static readonly OptionSpec TrustLoopback = new("--trust-loopback", null, "ask no password of programs on this machine, whoever runs them", OptionGroup.Database);
    internal static readonly OptionSpec AllowMd5 = new("--allow-md5", null, "let the auth proxy answer a server that asks for MD5", OptionGroup.Database);

    internal static readonly OptionSpec Profile = new("--profile", "NAME", "AWS profile; default: AWS_PROFILE", OptionGroup.Aws, NotEmpty);
    internal static readonly OptionSpec Region = new("--region", "NAME", "AWS region; default: AWS_REGION, or the profile's", OptionGroup.Aws, RegionName);
    internal static readonly OptionSpec EndpointUrl = new("--endpoint-url", "URL", "send AWS calls there; default: AWS_ENDPOINT_URL", OptionGroup.Aws, HttpUrl);

    internal static readonly OptionSpec SqlText = new("-c", "SQL", "the statements to run", OptionGroup.Sql);
    internal static readonly OptionSpec SqlFile = new("-f", "FILE", "a file of statements; - is standard input", OptionGroup.Sql, NotEmpty);
    internal static readonly OptionSpec SqlFormat = new("--format", "FORMAT", "table (default), csv, json (an array a result) or ndjson (an object a line)", OptionGroup.Sql, OneOf("table", "csv", "json", "ndjson"));
    internal static readonly OptionSpec SqlParam = new("--param", "NAME=VALUE[:TYPE]", "a value for :NAME in the statements; can be repeated", OptionGroup.Sql, ParameterPair) { Repeats = true };
    internal static readonly OptionSpec SqlTransaction = new("--single-transaction", null, "all statements or none", OptionGroup.Sql);
    internal static readonly OptionSpec SqlOnError = new("--on-error", "WHAT", "stop (default) or continue; the exit code tells of the last error", OptionGroup.Sql, OneOf("stop", "continue"));
    internal static readonly OptionSpec SqlTimeout = new("--timeout", "SECONDS", "how long each statement may take; over the Data API a definition then goes on over there", OptionGroup.Sql, Number(1, 86_400));
    internal static readonly OptionSpec SqlVia = new("--via", "ROUTE", "data-api (default); another route needs a bastion, but no client", OptionGroup.Route, OneOf("data-api", "ssm", "ssh"));

    internal static readonly OptionSpec PrintEnv = new("--print-env", null, "print what to export for a lab that runs already", OptionGroup.Lab);
    internal static readonly OptionSpec LabPort = new("--port", "N", "port of the API on 127.0.0.1; default: any free one", OptionGroup.Lab, Number(0, 65535));
    internal static readonly OptionSpec Directory = new("--directory", "DIR", "keep the lab's files there; default: a temporary folder, removed at the end", OptionGroup.Lab, NotEmpty);
    internal static readonly OptionSpec AcceptUnsignedChannel = new("--accept-unsigned-channel", null, "let in Session Manager clients older than 1.2.764.0, which do not sign", OptionGroup.Lab);
    internal static readonly OptionSpec Empty = new("--empty", null, "start with an empty account instead of the example architecture", OptionGroup.Lab);

    internal static readonly OptionSpec Service = new("--service", "MODEL", "what Session Manager allows: open (default) or stock, then changes: stock,payload=8192,rate=1000", OptionGroup.Lab,
        value => ServiceModel.Parse(value) is null ? "must be open or stock, then any of rate=, over=, grace=, payload=, starts=, burst= with a number" : null);
    internal static readonly OptionSpec Agent = new("--agent", "PACE", "how fast the agents send: open (default) or stock, as the official one does", OptionGroup.Lab,
        value => AgentPace.Parse(value) is null ? "must be open, stock or stock,rate=MESSAGES" : null);

    internal static readonly OptionSpec Dir = new("--dir", "DIR", "folder for the link; default: the first of your own folders on PATH", OptionGroup.Plugin, NotEmpty);
    internal static readonly OptionSpec Force = new("--force", null, "replace a session-manager-plugin that is not ours", OptionGroup.Plugin);

    internal static readonly OptionSpec Config = new("--config", "FILE", "settings file; default: fumidai.yaml here, in a parent folder, or in the user's config folder", OptionGroup.Output, NotEmpty);
    internal static readonly OptionSpec Json = new("--json", null, "JSON for programs: one object per event, one array for a list", OptionGroup.Output);
    internal static readonly OptionSpec Quiet = new("--quiet", null, "nothing but results and errors", OptionGroup.Output);
    internal static readonly OptionSpec Verbose = new("--verbose", null, "logs, and the causes of an error, on stderr", OptionGroup.Output);
    internal static readonly OptionSpec Yes = new("--yes", null, "ask nothing: where a question would come up, fail and say what to name", OptionGroup.Output);

    internal static readonly OptionSpec[] OfAws = [Profile, Region, EndpointUrl];
    internal static readonly OptionSpec[] OfOutput = [Json, Quiet, Verbose];
    internal static readonly OptionSpec[] OfTunnel = [Via, Bastion, Identity, Port, Sessions, KeepAlive, AuthProxy, Auth, SecretId, User, DatabaseName, CaFile, TrustLoopback, AllowMd5, Drain, HealthPort, HealthAddress, .. OfAws, Config, .. OfOutput, Yes];
    internal static readonly OptionSpec[] OfClient = [Via, Bastion, Identity, Port, Sessions, KeepAlive, Auth, SecretId, User, DatabaseName, CaFile, .. OfAws, Config, .. OfOutput, Yes];
    internal static readonly OptionSpec[] OfExec = [.. OfClient, NoAuthProxy, TrustLoopback, AllowMd5];

    private static string? NotEmpty(string value) =>
        value.Length == 0 ? "must not be empty" : value.Any(char.IsControl) ? "must not hold control characters" : null;

    private static string? ParameterPair(string value) =>
        value.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && (char.IsAsciiLetter(value[0]) || value[0] == '_') && value[..at].All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !value.Contains('\n', StringComparison.Ordinal)
            ? null
            : "must be NAME=VALUE or NAME=VALUE:TYPE";

    private static Func<string, string?> OneOf(params string[] words) =>
        value => words.Contains(value, StringComparer.Ordinal) ? null : $"must be {string.Join(", ", words[..^1])} or {words[^1]}";

    private static Func<string, string?> Number(int least, int most) =>
        value => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"must be a number from {least} to {most}");

    private static string? RegionName(string value) =>
        value.Length is > 2 and < 64 && value.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && char.IsAsciiLetterLower(value[0])
            ? null
            : "must be the name of a region, such as ap-northeast-1";

    private static string? BastionName(string value)
    {
        const string Good = "must be an instance (i-…) or a tag (tag:KEY=VALUE)";
        if (value.StartsWith("tag:", StringComparison.Ordinal))
            return value.IndexOf('=', StringComparison.Ordinal) > "tag:".Length && !value.Any(char.IsControl) ? null : Good;
        return value.StartsWith("i-", StringComparison.Ordinal) && value.Length is > 2 and <= 34 && value[2..].All(char.IsAsciiHexDigitLower) ? null : Good;
    }

    private static string? HttpUrl(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https") && url.Host.Length > 0 && !value.Any(c => char.IsControl(c) || c == ' ')
            ? null
            : "must be a URL that begins with http:// or https://";
}
