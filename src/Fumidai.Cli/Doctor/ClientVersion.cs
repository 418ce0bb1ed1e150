using System.ComponentModel;
using System.Diagnostics;

namespace Fumidai.Cli;

/// <summary>What a client program says of its version.</summary>
internal static class ClientVersion
{
    /// <summary>A program that does not answer by then says nothing.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    /// <summary>The last word of the first line of <c>psql --version</c> that is a version; null: it would not say.</summary>
    internal static async Task<string?> AskAsync(string? path, TimeProvider time, CancellationToken cancellationToken)
    {
        if (path is null)
            return null;
        using var limit = new CancellationTokenSource(s_limit, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var process = new Process { StartInfo = new ProcessStartInfo(path, "--version") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true } };
        try
        {
            process.Start();
            process.StandardInput.Close();
            var line = await process.StandardOutput.ReadLineAsync(stop.Token);
            await process.WaitForExitAsync(stop.Token);
            return line?.Split(' ').FirstOrDefault(w => w.Length > 0 && char.IsAsciiDigit(w[0]));
        }
        catch (Exception e) when (e is Win32Exception or IOException or OperationCanceledException)
        {
            if (e is OperationCanceledException && !process.HasExited)
                process.Kill();
            return null;
        }
    }
}
