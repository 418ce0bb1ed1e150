using System.Net.Sockets;
using Xunit;

namespace Fumidai.Postgres.Tests;

public sealed class LocalSocketTests
{
    [Fact]
    public async Task The_socket_stands_in_a_folder_of_our_own_admits_us_and_leaves_nothing()
    {
        Assert.SkipUnless(LocalSocket.IsSupported && !OperatingSystem.IsWindows(), "no Unix sockets with peer credentials here");
        if (OperatingSystem.IsWindows())
            return;
        var socket = LocalSocket.Listen(Path.GetTempPath(), 5432);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(socket.Folder));
        Assert.EndsWith("/.s.PGSQL.5432", socket.Path, StringComparison.Ordinal);

        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(socket.Path), TestContext.Current.CancellationToken);
        using var peer = await socket.Listener.AcceptAsync(TestContext.Current.CancellationToken);

        Assert.Equal(PeerUser.Own, PeerUser.Of(peer));
        Assert.True(LocalSocket.Admits(peer));
        socket.Dispose();
        Assert.False(Directory.Exists(socket.Folder));
    }

    [Fact]
    public void A_folder_too_deep_for_a_socket_is_told() =>
        Assert.Throws<IOException>(() =>
        {
            Assert.SkipUnless(LocalSocket.IsSupported, "no Unix sockets with peer credentials here");
            LocalSocket.Listen("/" + new string('x', 100), 5432);
        });
}
