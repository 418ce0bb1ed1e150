using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary>The one line that <c>connect</c>, <c>exec</c> and <c>tunnel</c> add when they fail: what doctor would say, from reading alone.</summary>
internal static class Verdict
{
    /// <summary>Nobody waits long for the reason of a failure.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(15);

    /// <summary>Says why no route opened, if reading shows it; never fails itself.</summary>
    internal static async Task TellAsync(Run run, AwsAccess access, Settings settings, Target target, FumidaiException failure)
    {
        if (failure.Reason is not (Reason.NoRoute or Reason.AwsAccess or Reason.SignIn) || run.Stop.ExitCode != 0)
            return;
        using var limit = new CancellationTokenSource(s_limit, run.Surroundings.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, run.Stop.Token);
        try
        {
            run.Screen.Waiting("Looking for the reason");
            var topology = await ReadTopology.AskAsync(access, settings, target, both.Token);
            var findings = Diagnosis.Of(topology, settings, LocalFacts.Look(settings, target, null, null, run.Surroundings.Environment)).SelectMany(r => r.Findings.Take(1)).DistinctBy(f => (f.Rule, f.Evidence)).ToList();
            foreach (var finding in findings)
            {
                run.Screen.Report(new TunnelEvent("diagnosis", $"doctor: {finding.Verdict}", new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["rule"] = finding.Rule,
                    ["what"] = finding.What,
                    ["evidence"] = finding.Evidence,
                    ["fix"] = finding.Fix.Command,
                }));
            }
        }
        catch (Exception e) when (e is AwsFailure or OperationCanceledException or FumidaiException)
        {
            // The failure itself is told in any case.
        }
        finally
        {
            run.Screen.Waiting(null);
        }
    }
}
