namespace Fumidai.Lab;

/// <summary>Reports each answered call as one line: time, service:Operation, caller, result code. Parameters and bodies never enter it.</summary>
internal sealed class CallLog(Action<string>? write, TimeProvider time)
{
    private readonly Lock _gate = new();

    /// <summary>Reports one call. <paramref name="operation"/> is <c>service:Operation</c>; <paramref name="caller"/> null: not authenticated.</summary>
    public void Report(string operation, Caller? caller, string result)
    {
        if (write is null)
            return;
        var who = caller is null ? "-" : caller.Arn;
        // Operation and result may hold what the caller sent: one call stays one line.
        var line = string.Concat($"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ} {operation} {who} {result}".Where(c => !char.IsControl(c)));
        lock (_gate)
            write(line);
    }
}
