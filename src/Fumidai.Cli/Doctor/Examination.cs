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
            var local = LocalFacts.Look(settings, target, Client(), Run.Surroundings.Environment);
            var routes = Diagnosis.Of(topology, settings, local).ToList();
            for (var i = 0; prove && i < routes.Count; i++)
            {
                if (!routes[i].Works)
                    continue;
                screen.Waiting($"Trying {routes[i].Route} through {routes[i].Bastion}");
                var request = new TunnelRequest { Target = target, Settings = settings, Access = access, AskPassphrase = Run.Passphrase.AskAsync, LoggerFactory = Run.Logs, Time = Run.Surroundings.Time };
                routes[i] = await Proof.RunAsync(routes[i], request, Run.Surroundings.Environment, stop);
            }
            return new DoctorReport(target.Name, routes, topology, local.Proxy);
        }
        catch (AwsFailure f)
        {
            return new DoctorReport(target?.Name ?? Name, [Only(Early(f))], topology, null);
        }
        catch (FumidaiException e) when (e.InnerException is AwsFailure f)
        {
            return new DoctorReport(target?.Name ?? Name, [Only(Early(f) with { Reason = e.Reason })], topology, null);
        }
        finally
        {
            screen.Waiting(null);
        }
    }

    private static RouteDiagnosis Only(Finding finding) => new("-", null,
        [(Hop.Laptop, "laptop", HopState.Good), (Hop.Credentials, "credentials", finding.Hop == Hop.Credentials ? HopState.Broken : HopState.Good), (Hop.Database, "target", finding.Hop == Hop.Credentials ? HopState.Unreached : HopState.Broken)], [finding], []);

    private static Finding Early(AwsFailure f) => f.Kind switch
    {
        AwsFailureKind.Credentials when f.Message.Contains("kew", StringComparison.Ordinal) || f.Message.Contains("not yet current", StringComparison.Ordinal) || f.Message.Contains("Signature expired", StringComparison.Ordinal) =>
            new("clock-skew", Hop.Credentials, "AWS refuses this machine's clock", f.Message, new Fix("sudo timedatectl set-ntp true"), Reason.AwsAccess),
        AwsFailureKind.Credentials => new("credentials", Hop.Credentials, "the AWS credentials do not work", f.Message, new Fix("aws sso login, or aws configure, or another profile with --profile"), Reason.AwsAccess),
        AwsFailureKind.Permission => new("may-not-look", Hop.Permission, $"you may not call {f.Operation}", f.Message, new Fix("allow it for this identity; doctor reads with Describe calls only"), Reason.AwsAccess),
        AwsFailureKind.NotFound => new("target-missing", Hop.Database, "the target is not there", f.Message, new Fix("another account or region? Say --profile and --region; fumidai targets lists what there is"), Reason.NotFound),
        AwsFailureKind.Network => new("aws-unreachable", Hop.Credentials, "AWS cannot be reached from here", f.Message, new Fix("check the network, HTTPS_PROXY and --endpoint-url"), Reason.Failed),
        AwsFailureKind.Configuration => new("configuration", Hop.Credentials, "the AWS settings are wrong", f.Message, new Fix("check --region, --profile and --endpoint-url"), Reason.Configuration),
        _ => new("aws-refused", Hop.Credentials, $"{f.Operation} is refused", f.Message, new Fix("try again with --verbose"), Reason.Failed),
    };

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
