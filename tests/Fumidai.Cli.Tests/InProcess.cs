namespace Fumidai.Cli.Tests;

/// <summary>What a command left when run in this process, with streams and environment of its own.</summary>
internal sealed record InProcess(int ExitCode, string Output, string Error)
{
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static async Task<InProcess> RunAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, TimeProvider? time = null, IQuestions? questions = null, StopSignals? signals = null)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using var stop = signals ?? new StopSignals();
        var surroundings = Surroundings(output, error, environment, folder) with { Time = time ?? TimeProvider.System, Questions = questions };
        var code = await CommandProgram.RunAsync(arguments, surroundings, stop);
        return new InProcess(code, output.ToString(), error.ToString());
    }

    public static Surroundings Surroundings(TextWriter output, TextWriter error, IReadOnlyDictionary<string, string>? environment = null, string? folder = null) => new()
    {
        Output = output,
        Error = error,
        Environment = name => environment?.GetValueOrDefault(name),
        WorkingDirectory = folder ?? Path.GetTempPath(),
    };

    public override string ToString() => $"exit code {ExitCode}\n--- stdout\n{Output}\n--- stderr\n{Error}";
}
