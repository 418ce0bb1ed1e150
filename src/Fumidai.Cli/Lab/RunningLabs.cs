using System.Globalization;
using System.Text.Json;

namespace Fumidai.Cli;

/// <summary>A lab that runs, as another process sees it.</summary>
/// <param name="Process">Its process id.</param>
/// <param name="Port">Port of its API.</param>
/// <param name="Started">When it was ready.</param>
/// <param name="Variables">What to export, in order.</param>
internal sealed record RunningLab(int Process, int Port, DateTimeOffset Started, IReadOnlyList<KeyValuePair<string, string>> Variables);

/// <summary>
/// Where labs leave word of themselves: one file each, mode 0600, in a folder of the user's own. The owner holds the file <c>.lock</c> beside
/// it locked while it runs, so nobody takes a dead lab for a living one, whatever happened to its process id since.
/// </summary>
internal sealed class RunningLabs
{
    private const string Pattern = "lab-*.json";
    private readonly string _folder;

    /// <exception cref="FumidaiException">Configuration: the environment names no home.</exception>
    internal RunningLabs(Func<string, string?> environment) => _folder = Folder(environment);

    /// <summary>Leaves word until disposed; the two files are told to <paramref name="watch"/>, so that they go even after SIGKILL.</summary>
    internal IDisposable Announce(RunningLab lab, DeathWatch? watch)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_folder);
        }
        else
        {
            Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"lab-{lab.Process}.json"));
        watch?.Remove(path);
        watch?.Remove(LockOf(path));
        var held = new FileStream(LockOf(path), options);
        try
        {
            using var file = new FileStream(path, options);
            file.Write(Write(lab));
        }
        catch
        {
            held.Dispose();
            throw;
        }
        return new Announcement(path, held);
    }

    /// <summary>All that run, the youngest first. Word of dead ones is removed on the way.</summary>
    internal IReadOnlyList<RunningLab> Find()
    {
        var labs = new List<RunningLab>();
        if (!Directory.Exists(_folder))
            return labs;
        foreach (var path in Directory.EnumerateFiles(_folder, Pattern))
        {
            try
            {
                if (IsHeld(LockOf(path)))
                    labs.Add(Read(File.ReadAllBytes(path)));
                else
                    Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                // It ended while we looked, or somebody else wrote there: no lab of ours.
            }
        }
        return [.. labs.OrderByDescending(l => l.Started)];
    }

    internal static byte[] Write(RunningLab lab)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("process", lab.Process);
            json.WriteNumber("port", lab.Port);
            json.WriteString("started", lab.Started);
            json.WriteStartObject("environment");
            foreach (var (name, value) in lab.Variables)
                json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    internal static RunningLab Read(ReadOnlyMemory<byte> bytes)
    {
        using var json = JsonDocument.Parse(bytes);
        var root = json.RootElement;
        return new RunningLab(
            root.GetProperty("process").GetInt32(),
            root.GetProperty("port").GetInt32(),
            root.GetProperty("started").GetDateTimeOffset(),
            [.. root.GetProperty("environment").EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.GetString() ?? ""))]);
    }

    private static string LockOf(string path) => path + ".lock";

    private static bool IsHeld(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static void Delete(string path)
    {
        File.Delete(path);
        File.Delete(LockOf(path));
    }

    private static string Folder(Func<string, string?> environment)
    {
        if (OperatingSystem.IsWindows())
            return Absolute(environment("LOCALAPPDATA")) is { } local ? Path.Combine(local, "fumidai", "run") : throw NoHome("LOCALAPPDATA");
        // The XDG rules: the runtime folder is the user's own and gone after the last logout; a relative path is to be ignored.
        if (Absolute(environment("XDG_RUNTIME_DIR")) is { } runtime)
            return Path.Combine(runtime, "fumidai");
        if (Absolute(environment("XDG_CACHE_HOME")) is { } cache)
            return Path.Combine(cache, "fumidai", "run");
        return Absolute(environment("HOME")) is { } home ? Path.Combine(home, ".cache", "fumidai", "run") : throw NoHome("HOME");

        static string? Absolute(string? path) => path is { Length: > 0 } && Path.IsPathFullyQualified(path) ? path : null;
        static FumidaiException NoHome(string variable) => new(Reason.Configuration, "no folder to keep word of running labs in", $"{variable} is not set", $"Set {variable}");
    }

    private sealed class Announcement(string path, FileStream held) : IDisposable
    {
        public void Dispose()
        {
            Delete(path);
            held.Dispose();
        }
    }
}
