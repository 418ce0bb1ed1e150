namespace Fumidai.Cli;

/// <summary>The program called <c>fumidai</c>: reads the command line, runs the command, tells what failed.</summary>
internal static class CommandProgram
{
    internal static async Task<int> RunAsync(string[] arguments)
    {
        using var stop = StopSignals.OfProcess();
        return await RunAsync(arguments, Surroundings.OfProcess(), stop);
    }

    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments, Surroundings surroundings, StopSignals stop)
    {
        ICommand command;
        try
        {
            switch (CommandLine.Parse(arguments))
            {
                case Parsed.Text text:
                    using (var page = new Screen(surroundings, default, eventsOnOutput: true))
                        page.Result(text.Content);
                    return ExitCodes.Success;
                case Parsed.Command parsed:
                    command = parsed.Verb;
                    break;
                default:
                    return ExitCodes.Usage;
            }
        }
        catch (Exception e)
        {
            using var plain = new Screen(surroundings, default, eventsOnOutput: false);
            return Tell(plain, e);
        }
        using var screen = new Screen(surroundings, command.Output, command.EventsOnOutput);
        try
        {
            return await command.RunAsync(new Run(surroundings, screen, stop));
        }
        catch (Exception) when (stop.ExitCode != 0)
        {
            // What broke off because we were told to stop is no failure to report.
            return stop.ExitCode;
        }
        catch (Exception e)
        {
            return Tell(screen, e);
        }
    }

    private static int Tell(Screen screen, Exception exception)
    {
        var failure = Failure.Of(exception);
        screen.Fail(failure);
        return failure.ExitCode;
    }
}
