using System.IO.Pipelines;
using System.Net.Sockets;

namespace Fumidai.SessionManager;

/// <summary>One direction between a stream and a TCP connection of the agent. Holds no buffer while it waits.</summary>
internal static class SocketPump
{
    /// <summary>Largest read of the stock copy loop, so that an emulated agent's frames look alike.</summary>
    private const int ReadSize = 32 * 1024;

    /// <summary>Copies until the stream ends or the socket fails; completes the reader.</summary>
    public static async Task ToSocketAsync(PipeReader from, Socket to)
    {
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                foreach (var part in read.Buffer)
                    for (var sent = 0; sent < part.Length;)
                        sent += await to.SendAsync(part[sent..], SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                from.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled) return;
            }
        }
        catch (Exception failure) when (IsEnd(failure))
        {
        }
        finally
        {
            await from.CompleteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Copies until the socket ends or fails (true), or the stream takes no more (false). Leaves the writer open: who calls decides what the end means.</summary>
    public static async Task<bool> FromSocketAsync(Socket from, PipeWriter to)
    {
        try
        {
            while (true)
            {
                // Waits with an empty read: an idle connection costs no buffer.
                await from.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                var count = await from.ReceiveAsync(to.GetMemory(ReadSize), SocketFlags.None, CancellationToken.None).ConfigureAwait(false);
                if (count == 0) return true;
                to.Advance(count);
                var flush = await to.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                if (flush.IsCompleted || flush.IsCanceled) return false;
            }
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            return failure is SocketException or ObjectDisposedException;
        }
    }

    /// <summary>
    /// Ends both directions and lets both copy loops go. Disposing a socket that somebody waits on would reset the connection instead of
    /// closing it; dispose it when the loops are done.
    /// </summary>
    public static void Close(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // Reset by the other side already.
        }
    }

    private static bool IsEnd(Exception failure)
        => failure is SocketException or ObjectDisposedException or IOException or SessionEndedException;
}
