using System.Globalization;
using System.Text;

namespace Fumidai.Lab;

/// <summary>
/// The keys pushed to one bastion. sshd reads the file at each login and judges <c>expiry-time</c> itself, to the second and by the machine's
/// clock; by the lab's clock, which can be moved, the line is taken out.
/// </summary>
internal sealed class AuthorizedKeys(string folder, TimeProvider labTime)
{
    /// <summary>How long a pushed key opens a login.</summary>
    public static TimeSpan Life { get; } = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly List<Pushed> _keys = [];

    private sealed record Pushed(string User, string Key, DateTimeOffset MachineExpiry, ITimer Removal);

    /// <summary>Adds a key (type and base64, checked by the caller) for a user of the instance.</summary>
    public void Push(string user, string key)
    {
        lock (_lock)
        {
            Pushed? pushed = null;
            var removal = labTime.CreateTimer(_ => Remove(pushed!), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            pushed = new(user, key, TimeProvider.System.GetUtcNow() + Life, removal);
            _keys.Add(pushed);
            Write(user);
            removal.Change(Life, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Takes all keys away.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            foreach (var key in _keys.ToArray())
            {
                key.Removal.Dispose();
                _keys.Remove(key);
                Write(key.User);
            }
        }
    }

    private void Remove(Pushed key)
    {
        lock (_lock)
        {
            key.Removal.Dispose();
            if (_keys.Remove(key))
                Write(key.User);
        }
    }

    private void Write(string user)
    {
        var text = new StringBuilder();
        // Without a zone: sshd before 9.1 knows no trailing Z. The lab's sshd runs with TZ=UTC.
        foreach (var key in _keys.Where(key => key.User == user))
            text.Append(CultureInfo.InvariantCulture, $"expiry-time=\"{key.MachineExpiry.UtcDateTime:yyyyMMddHHmmss}\",restrict,port-forwarding {key.Key}\n");
        var file = Path.Combine(folder, user);
        var fresh = file + ".new";
        File.WriteAllText(fresh, text.ToString());
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        File.Move(fresh, file, overwrite: true);
    }
}
