using System.Buffers;

namespace Fumidai.SessionManager;

/// <summary>
/// Buffers of one channel, each large enough for a usual message. The last one back is the first one out, so a busy channel stays in the cache.
/// Keeps at most <paramref name="keep"/> of them; larger messages use the shared pool. Safe from any task.
/// </summary>
internal sealed class FrameBuffers(int size, int keep)
{
    private readonly Lock _gate = new();
    private readonly Stack<byte[]> _free = new();

    /// <summary>A buffer of at least <paramref name="minimum"/> bytes with anything in it.</summary>
    internal byte[] Rent(int minimum)
    {
        if (minimum > size) return ArrayPool<byte>.Shared.Rent(minimum);
        lock (_gate)
            if (_free.TryPop(out var buffer))
                return buffer;
        return GC.AllocateUninitializedArray<byte>(size);
    }

    /// <summary>Gives a buffer back; the caller must not touch it again.</summary>
    internal void Return(byte[] buffer)
    {
        if (buffer.Length != size)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return;
        }
        lock (_gate)
            if (_free.Count < keep)
                _free.Push(buffer);
    }
}
