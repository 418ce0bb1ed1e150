using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary>One examination: the target found, the topology read, every route walked and, where nothing is wrong, proven.</summary>
internal sealed record Examination(Run Run, CommandLineSettings CommandLine, string? Name)
{
    internal async Task<DoctorReport> AskAsync(Settings settings, bool prove)
    {
        var (screen, stop) = (Run.Screen, Run.Stop.Token);
        Target? target = null;
        Topology? topology = null;
        try
        {
            using var access = AwsAccess.Open(settings.Aws, Run.Surroundings.Time);
            screen.Waiting($"Looking for {Name ?? "the target"} in {access.Region}");
            target = await TargetCatalog.FindAsync(access, settings, Name, stop);
            screen.Waiting("Reading the network");
            topology = await ReadTopology.AskAsync(access, settings, target, stop);
            var client = Client();
            var local = LocalFacts.Look(settings, target, client, await ClientVersion.AskAsync(client, Run.Surroundings.Time, stop), Run.Surroundings.Environment);
            var routes = Diagnosis.Of(topology, settings, local).ToList();
            for (var i = 0; prove && i < routes.Count; i++)
            {
                if (!routes[i].IsToBeTried)
                    continue;
                screen.Waiting($"Trying {routes[i].Route} through {routes[i].Bastion}");
                var request = new TunnelRequest { Target = target, Settings = settings, Access = access, AskPassphrase = Run.Passphrase.AskAsync, LoggerFactory = Run.Logs, Time = Run.Surroundings.Time };
                routes[i] = await Proof.RunAsync(routes[i], request, Run.Surroundings.Environment, stop);
            }
            return new DoctorReport(target.Name, routes, topology, local.Proxy);
        }
        catch (AwsFailure f)
        {
            return new DoctorReport(target?.Name ?? Name, [Only(await EarlyAsync(f, settings))], topology, null);
        }
        catch (FumidaiException e) when (e.InnerException is AwsFailure f)
        {
            return new DoctorReport(target?.Name ?? Name, [Only(await EarlyAsync(f, settings) with { Reason = e.Reason })], topology, null);
        }
        finally
        {
            screen.Waiting(null);
        }
    }

    private static RouteDiagnosis Only(Finding finding) => new("-", null,
        [(Hop.Laptop, "laptop", HopState.Good), (Hop.Credentials, "credentials", finding.Hop == Hop.Credentials ? HopState.Broken : HopState.Good), (Hop.Database, "target", finding.Hop == Hop.Credentials ? HopState.Unreached : HopState.Broken)], [finding], []);

    private async Task<Finding> EarlyAsync(AwsFailure f, Settings settings) => f.Kind switch
    {
        AwsFailureKind.Credentials => OfCredentials(f, settings),
        AwsFailureKind.Permission => new("may-not-look", Hop.Permission, $"you may not call {f.Operation}", f.Message, new Fix("allow it for this identity; doctor reads with Describe calls only"), Reason.AwsAccess),
        AwsFailureKind.NotFound => await MissingAsync(f, settings),
        AwsFailureKind.Network => new("aws-unreachable", Hop.Credentials, "AWS cannot be reached from here", $"{f.Message}{(Proxy() is { } proxy ? $"; HTTPS_PROXY is {proxy}" : "")}",
            new Fix(Proxy() is null ? "check the network, and --endpoint-url; behind a proxy: export HTTPS_PROXY=http://HOST:PORT" : "let the proxy pass *.amazonaws.com, WebSockets too, or put the name into NO_PROXY"), Reason.Failed),
        AwsFailureKind.Configuration => new("configuration", Hop.Credentials, "the AWS settings are wrong", f.Message, new Fix("check --region, --profile and --endpoint-url"), Reason.Configuration),
        _ => new("aws-refused", Hop.Credentials, $"{f.Operation} is refused", f.Message, new Fix("try again with --verbose"), Reason.Failed),
    };

    private Finding OfCredentials(AwsFailure f, Settings settings)
    {
        var profile = settings.Aws.Profile ?? Run.Surroundings.Environment("AWS_PROFILE");
        bool Says(string text) => f.Message.Contains(text, StringComparison.OrdinalIgnoreCase) || f.Code?.Contains(text, StringComparison.OrdinalIgnoreCase) == true;
        var named = profile is null ? "" : $" --profile {profile}";
        if (Says("skew") || Says("not yet current") || Says("Signature expired") || Says("RequestExpired"))
            return new("clock-skew", Hop.Credentials, "AWS refuses this machine's clock", f.Message, new Fix("sudo timedatectl set-ntp true"), Reason.AwsAccess);
        if (Says("Identity Center"))
            return new("sso-sign-in-needed", Hop.Credentials, "the sign-in at IAM Identity Center is missing or over", f.Message, new Fix($"aws sso login{named}"), Reason.AwsAccess);
        if (Says("MFA"))
            return new("mfa-needed", Hop.Credentials, "the profile asks for an MFA code", f.Message, new Fix($"eval \"$(aws configure export-credentials{named} --format env)\" && unset AWS_PROFILE"), Reason.AwsAccess);
        if (Says("expired"))
            return new("credentials-expired", Hop.Credentials, "the AWS credentials have expired", f.Message, new Fix($"aws sso login{named}, or export fresh AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"), Reason.AwsAccess);
        if (Says("no AWS credentials"))
            return new("credentials-missing", Hop.Credentials, "there are no AWS credentials", f.Message, new Fix($"aws configure{named}"), Reason.AwsAccess);
        return new("credentials", Hop.Credentials, "the AWS credentials do not work", f.Message, new Fix($"aws configure{named}"), Reason.AwsAccess);
    }

    // Most often it is there, elsewhere: the other regions of the account are looked at.
    private async Task<Finding> MissingAsync(AwsFailure f, Settings settings)
    {
        var stop = Run.Stop.Token;
        try
        {
            using var access = AwsAccess.Open(settings.Aws, Run.Surroundings.Time);
            var caller = await AskCallerIdentity.AskAsync(access, stop);
            var evidence = $"{f.Message} (account {caller.Account}, region {access.Region})";
            var others = (await ListRegions.AskAsync(access, stop)).Where(r => r != access.Region).ToList();
            var found = Name is null ? [] : (await Task.WhenAll(others.Select(r => IsThereAsync(settings, r)))).OfType<string>().ToList();
            return found.Count > 0
                ? new("other-region", Hop.Database, $"the target is in {string.Join(" and ", found)}, not here", evidence, new Fix($"fumidai doctor {Name} --region {found[0]}"), Reason.NotFound)
                : new("target-missing", Hop.Database, "the target is not there", $"{evidence}{(Name is null ? "" : $", nor in {(others.Count == 1 ? "the other region" : $"the {others.Count} other regions")}")}; --profile names another account", new Fix("fumidai targets"), Reason.NotFound);
        }
        catch (AwsFailure)
        {
            return new("target-missing", Hop.Database, "the target is not there", $"{f.Message}; --profile and --region name another account or region", new Fix("fumidai targets"), Reason.NotFound);
        }
    }

    private async Task<string?> IsThereAsync(Settings settings, string region)
    {
        try
        {
            using var access = AwsAccess.Open(settings.Aws with { Region = region }, Run.Surroundings.Time);
            await TargetCatalog.FindAsync(access, settings, Name, Run.Stop.Token);
            return region;
        }
        catch (Exception e) when (e is AwsFailure or FumidaiException)
        {
            return null;
        }
    }

    private string? Proxy() => LocalFacts.ProxyOf(Run.Surroundings.Environment);

    private string? Client()
    {
        try
        {
            return ClientProgram.Find("psql", Run.Surroundings);
        }
        catch (FumidaiException)
        {
            return null;
        }
    }
}
