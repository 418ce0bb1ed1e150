using System.Globalization;
using System.Net.Sockets;

namespace Fumidai.Postgres;

/// <summary>
/// The endpoint as a Unix socket, in a folder of mode 0700 that is made for it and removed with it, under the name libpq looks for
/// (<c>.s.PGSQL.PORT</c>, so <c>host=FOLDER port=PORT</c>).
/// </summary>
public sealed class LocalSocket : IDisposable
{
    // sun_path: 108 bytes on Linux, 104 on macOS, its closing zero included.
    private const int MaxPath = 103;
    private const int Backlog = 512;

    private LocalSocket(string folder, string path, Socket listener) => (Folder, Path, Listener) = (folder, path, listener);

    /// <summary>The folder; other files of the run may be kept in it.</summary>
    public string Folder { get; }

    /// <summary>The socket's path.</summary>
    public string Path { get; }

    /// <summary>The listening socket.</summary>
    public Socket Listener { get; }

    /// <summary>Whether this system has what is needed.</summary>
    public static bool IsSupported => PeerUser.IsSupported && Socket.OSSupportsUnixDomainSockets;

    /// <summary>Makes folder and socket.</summary>
    /// <param name="parent">Where to make the folder: a place of our own if there is one (<c>XDG_RUNTIME_DIR</c>), else the temporary one.</param>
    /// <param name="port">The number in the name.</param>
    /// <exception cref="IOException">It cannot be made there.</exception>
    public static LocalSocket Listen(string parent, int port)
    {
        if (!IsSupported || OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("a Unix socket whose peer can be asked for");
        var folder = System.IO.Path.Combine(parent, "fumidai-" + System.IO.Path.GetRandomFileName().Replace(".", "", StringComparison.Ordinal));
        var path = System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $".s.PGSQL.{port}"));
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MaxPath)
            throw new IOException($"the path of a socket in {parent} would be too long");
        if (Directory.Exists(folder))
            throw new IOException($"{folder} is there already");
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(Backlog);
            return new LocalSocket(folder, path, listener);
        }
        catch (Exception e)
        {
            listener.Dispose();
            Remove(folder);
            throw e is SocketException ? new IOException($"cannot make a socket in {folder}: {e.Message}", e) : e;
        }
    }

    /// <summary>Whether a peer is this user: nobody else may use the endpoint, root neither.</summary>
    public static bool Admits(Socket peer) => PeerUser.Of(peer) == PeerUser.Own;

    /// <summary>Ends it and removes the folder with all that is in it.</summary>
    public void Dispose()
    {
        Listener.Dispose();
        Remove(Folder);
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be removed stays in the temporary folder; it opens nothing any more.
        }
    }
}
