using System.Globalization;

namespace Fumidai.Cli;

/// <summary>What <c>sql</c> was asked to do.</summary>
/// <param name="Text">-c; null: not given.</param>
/// <param name="File">-f; null: not given.</param>
/// <param name="Format">table, csv, json or ndjson.</param>
/// <param name="Parameters">--param.</param>
/// <param name="IsOneTransaction">--single-transaction.</param>
/// <param name="GoesOn">--on-error continue.</param>
/// <param name="Timeout">--timeout for each statement; null: none.</param>
internal sealed record SqlWork(string? Text, string? File, string Format, IReadOnlyDictionary<string, (string Value, string? Type)> Parameters, bool IsOneTransaction, bool GoesOn, TimeSpan? Timeout)
{
    internal static SqlWork Of(Typed typed)
    {
        var goesOn = typed.Value(Options.SqlOnError) == "continue";
        if (typed.Has(Options.SqlText) && typed.Has(Options.SqlFile))
            throw new FumidaiException(Reason.Usage, "-c and -f exclude each other", next: "Give one of them");
        if (goesOn && typed.Has(Options.SqlTransaction))
            throw new FumidaiException(Reason.Usage, "--single-transaction and --on-error continue exclude each other", "a transaction does not outlive an error", "Give one of them");
        return new(
            typed.Value(Options.SqlText), typed.Value(Options.SqlFile), typed.Value(Options.SqlFormat) ?? "table", ReadParameters(typed.Value(Options.SqlParam)),
            typed.Has(Options.SqlTransaction), goesOn, typed.Number(Options.SqlTimeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
    }

    /// <summary>The script: -c, the file (<c>-</c>: standard input), or standard input.</summary>
    internal async Task<string> ReadAsync(Run run)
    {
        if (Text is not null)
            return Text;
        if (File is null or "-")
        {
            if (File is null && run.Surroundings.IsInputTerminal)
                throw new FumidaiException(Reason.Usage, "there is no SQL to run", next: "Give it with -c, as a file with -f, or on standard input");
            await using var input = Console.OpenStandardInput();
            using var reader = new StreamReader(input);
            return await reader.ReadToEndAsync(run.Stop.Token);
        }
        try
        {
            return await System.IO.File.ReadAllTextAsync(Path.Combine(run.Surroundings.WorkingDirectory, File), run.Stop.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(Reason.Failed, $"cannot read {File}", e.Message, inner: e);
        }
    }

    /// <summary>name=value[:type]; the last colon counts, and only before what looks like a type.</summary>
    internal static IReadOnlyDictionary<string, (string Value, string? Type)> ReadParameters(string? lines)
    {
        var parameters = new Dictionary<string, (string, string?)>(StringComparer.Ordinal);
        foreach (var line in lines?.Split('\n') ?? [])
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = (line[..at], line[(at + 1)..]);
            var colon = value.LastIndexOf(':');
            var type = colon >= 0 && colon + 1 < value.Length && (char.IsAsciiLetter(value[colon + 1]) || value[colon + 1] == '_') ? value[(colon + 1)..] : null;
            if (!parameters.TryAdd(name, (type is null ? value : value[..colon], type)))
                throw new FumidaiException(Reason.Usage, string.Create(CultureInfo.InvariantCulture, $"parameter {name} was given twice"), next: "Give it once");
        }
        return parameters;
    }
}
