using System.Globalization;
using System.Text;
using YamlDotNet.Core;

namespace Fumidai.Cli;

/// <summary>Keeps a stack's entry in a fumidai.yaml: written when the stack is up, removed when it is down. A file is replaced whole or not at all.</summary>
/// <param name="path">The file; it need not exist.</param>
internal sealed class TargetsFile(string path)
{
    internal string Path => path;

    /// <summary>Writes the entry.</summary>
    /// <param name="settings">What a new file says besides.</param>
    /// <param name="name">The entry's name.</param>
    /// <param name="target">E.g. <c>cluster/app</c>.</param>
    /// <param name="secret">Secret to sign in with; null: the cluster's own.</param>
    /// <param name="mark">See <see cref="TargetsText.Mark"/>.</param>
    internal EntryOutcome Write(IEnumerable<(string Key, string Value)> settings, string name, string target, string? secret, string mark)
    {
        Sweep();
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
            Replace(TargetsText.New(settings, name, target, secret, mark), false);
            return EntryOutcome.Written;
        }
        var (text, hasMark) = Read();
        try
        {
            var (outcome, changed) = TargetsText.Add(text, name, target, secret, mark);
            if (outcome != EntryOutcome.Written)
                return outcome;
            // Nothing is written that would not be read back as meant.
            if (TargetsOutline.Of(changed).Entries.FirstOrDefault(e => e.Name == name)?.Target?.Text != target)
                return EntryOutcome.Refused;
            Replace(changed, hasMark);
            return EntryOutcome.Written;
        }
        catch (YamlException)
        {
            return EntryOutcome.Refused;
        }
    }

    /// <summary>Removes the entries with this mark, and the file, if it has nothing else that is anybody's.</summary>
    /// <returns>Their names.</returns>
    internal IReadOnlyList<string> Remove(string mark)
    {
        Sweep();
        if (!File.Exists(path))
            return [];
        var (text, hasMark) = Read();
        try
        {
            var (removed, changed) = TargetsText.Remove(text, mark);
            if (removed.Count == 0)
                return [];
            if (TargetsText.IsAllOurs(changed))
            {
                File.Delete(Real());
                return removed;
            }
            _ = TargetsOutline.Of(changed);
            Replace(changed, hasMark);
            return removed;
        }
        catch (YamlException)
        {
            return [];
        }
    }

    private (string Text, bool HasMark) Read()
    {
        var bytes = File.ReadAllBytes(path);
        var hasMark = bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble);
        return (Encoding.UTF8.GetString(hasMark ? bytes.AsSpan(3) : bytes), hasMark);
    }

    /// <summary>Removes what a killed run left beside the file. That of a process which lives is its own.</summary>
    private void Sweep()
    {
        var real = System.IO.Path.GetFullPath(Real());
        if (System.IO.Path.GetDirectoryName(real) is not { } folder || !Directory.Exists(folder))
            return;
        var start = System.IO.Path.GetFileName(real) + ".";
        foreach (var left in Directory.EnumerateFiles(folder, start + "*.tmp"))
        {
            if (int.TryParse(System.IO.Path.GetFileName(left)[start.Length..^".tmp".Length], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && !Lives(pid))
                File.Delete(left);
        }
    }

    private static bool Lives(int pid)
    {
        if (pid == Environment.ProcessId)
            return false;
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return true;
        }
    }

    // Beside it and then in its place: who is killed half-way leaves the old one, and the next run sweeps.
    private void Replace(string text, bool withMark)
    {
        var real = Real();
        var beside = $"{real}.{Environment.ProcessId}.tmp";
        try
        {
            File.WriteAllText(beside, text, new UTF8Encoding(withMark));
            if (!OperatingSystem.IsWindows() && File.Exists(real))
                File.SetUnixFileMode(beside, File.GetUnixFileMode(real));
            File.Move(beside, real, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    private string Real() => File.Exists(path) ? new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : path;
}
