using System.Globalization;

namespace Fumidai.Cli;

/// <summary>Runs a script's statements one after the other and prints what they return.</summary>
internal sealed class SqlScript(Run run, SqlSession session, SqlWork work)
{
    /// <returns>The exit code.</returns>
    internal async Task<int> RunAsync(string script)
    {
        var statements = SqlSession.Split(script);
        var code = ExitCodes.Success;
        if (work.IsOneTransaction && await StepAsync("BEGIN", "") is var begun and not ExitCodes.Success)
            return begun;
        foreach (var (start, sql) in statements)
        {
            var failed = await StepAsync(SqlSession.WithParameters(sql, work.Parameters), Place(script, start));
            if (failed == ExitCodes.Success)
                continue;
            code = failed;
            if (!work.GoesOn || run.Stop.ExitCode != 0)
                break;
        }
        if (work.IsOneTransaction && await StepAsync(code == ExitCodes.Success ? "COMMIT" : "ROLLBACK", "") is var ended and not ExitCodes.Success && code == ExitCodes.Success)
            return ended;
        return code;
    }

    private async Task<int> StepAsync(string sql, string place)
    {
        run.Screen.Waiting("Running SQL");
        await using var output = ResultWriter.Of(work.Format, run.Surroundings.Output, () => run.Screen.Waiting(null));
        using var limit = work.Timeout is { } time ? new CancellationTokenSource(time, run.Surroundings.Time) : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, run.Stop.Token);
        try
        {
            var tag = await session.RunAsync(sql, output, either.Token);
            await output.EndAsync(tag, run.Stop.Token);
            run.Screen.Waiting(null);
            if (!output.HasBegun && !work.IsOneTransaction)
                run.Screen.Note(tag);
            return ExitCodes.Success;
        }
        catch (SqlFailure failure)
        {
            run.Screen.Waiting(null);
            run.Screen.Fail(new Failure(Visible.Line(failure + place), CodeOf(failure), []));
            return CodeOf(failure);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && run.Stop.ExitCode == 0)
        {
            run.Screen.Waiting(null);
            var after = string.Create(CultureInfo.InvariantCulture, $"no answer within {work.Timeout!.Value.TotalSeconds:0} s (--timeout)");
            run.Screen.Fail(new Failure($"ERROR 57014: {after}{(session.GoesOnAfterTimeout(sql) ? "; the statement goes on over there" : "")}{place}", ExitCodes.Failed, []));
            return ExitCodes.Failed;
        }
    }

    private static int CodeOf(SqlFailure failure) => failure.Code switch
    {
        "08007" or "08006" => ExitCodes.RouteLost,
        "08001" or "08004" or "57P03" => ExitCodes.NoRoute,
        "28000" or "28P01" => ExitCodes.SignIn,
        _ => ExitCodes.Failed,
    };

    private static string Place(string script, int start) => script.AsSpan().Count('\n') == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" (statement at line {1 + script.AsSpan(0, start).Count('\n')})");
}
