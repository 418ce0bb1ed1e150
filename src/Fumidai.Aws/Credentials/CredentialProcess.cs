using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>Keys printed by the command of <c>credential_process</c>, run without a shell as the AWS CLI runs it. Its standard output is never shown.</summary>
internal sealed class CredentialProcess(string profile, string command, TimeProvider time) : IKeySource
{
    /// <summary>Long enough for a sign-in in the browser.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public async Task<Keys> FetchAsync()
    {
        var words = Split(command);
        if (words.Count == 0)
            throw Failed("is empty");
        var start = new ProcessStartInfo(words[0]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var word in words.Skip(1))
            start.ArgumentList.Add(word);
        using var limit = new CancellationTokenSource(Limit, time);
        Process? started = null;
        try
        {
            started = Process.Start(start) ?? throw Failed($"could not start {words[0]}");
            var errors = started.StandardError.ReadToEndAsync(limit.Token);
            var output = await started.StandardOutput.ReadToEndAsync(limit.Token).ConfigureAwait(false);
            await started.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            if (started.ExitCode != 0)
                throw Failed($"({words[0]}) ended with {started.ExitCode}: {Failures.OneLine(await errors.ConfigureAwait(false))}");
            return Parse(output);
        }
        catch (Win32Exception e)
        {
            throw Failed($"could not start {words[0]}: {e.Message}", e);
        }
        catch (OperationCanceledException e)
        {
            started?.Kill(entireProcessTree: true);
            throw Failed($"({words[0]}) gave no credentials within {Limit.TotalMinutes:0} minutes", e);
        }
        finally
        {
            started?.Dispose();
        }
    }

    private Keys Parse(string output)
    {
        try
        {
            using var json = JsonDocument.Parse(output);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("Version", out var version) || version.ToString() != "1")
                throw Failed("printed JSON that is not Version 1");
            var (id, secret) = (root.Text("AccessKeyId"), root.Text("SecretAccessKey"));
            if (id is null || secret is null)
                throw Failed("printed no AccessKeyId and SecretAccessKey");
            DateTimeOffset? expires = root.Text("Expiration") is { } text
                ? DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : throw Failed("printed an Expiration that is no time")
                : null;
            if (expires <= time.GetUtcNow())
                throw Failed("printed credentials that have expired");
            return new Keys(id, secret, root.Text("SessionToken"), expires);
        }
        catch (JsonException)
        {
            // Without the inner exception: its text may quote the output.
            throw Failed("did not print JSON");
        }
    }

    /// <summary>Words as a POSIX shell splits them, without anything else of a shell. On Windows a backslash is a path's.</summary>
    internal static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, isWord) = ('\0', false);
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '\\' && quote != '\'' && !OperatingSystem.IsWindows() && i + 1 < line.Length && (quote == '\0' || line[i + 1] is '"' or '\\'))
                (_, isWord) = (word.Append(line[++i]), true);
            else if (quote != '\0' && c == quote)
                quote = '\0';
            else if (quote == '\0' && c is '"' || quote == '\0' && c is '\'' && !OperatingSystem.IsWindows())
                (quote, isWord) = (c, true);
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (isWord)
                    words.Add(word.ToString());
                (_, isWord) = (word.Clear(), false);
            }
            else
                (_, isWord) = (word.Append(c), true);
        }
        if (isWord)
            words.Add(word.ToString());
        return words;
    }

    private AwsFailure Failed(string what, Exception? inner = null) =>
        new(AwsFailureKind.Credentials, "credential_process", null, $"credential_process of profile {profile} {what}", inner);
}
