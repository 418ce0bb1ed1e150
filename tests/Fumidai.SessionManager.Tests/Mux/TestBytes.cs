using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Xunit;

namespace Fumidai.SessionManager.Tests;

internal static class TestBytes
{
    /// <summary>A guard only: nothing here waits for time to pass.</summary>
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    /// <summary>The byte pattern of the recordings.</summary>
    public static byte[] Pattern(uint seed, int length)
    {
        var bytes = new byte[length];
        var x = seed;
        for (var i = 0; i < length; i++)
        {
            x = unchecked((x * 1664525) + 1013904223);
            bytes[i] = (byte)(x >> 24);
        }
        return bytes;
    }

    public static byte[] Frame(MuxCommand command, uint id, params ReadOnlySpan<byte> data)
    {
        var frame = new byte[MuxFrameHeader.Size + data.Length];
        new MuxFrameHeader(command, (ushort)data.Length, id).Write(frame);
        data.CopyTo(frame.AsSpan(MuxFrameHeader.Size));
        return frame;
    }

    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Reads exactly so many bytes, or fails at an early end.</summary>
    public static async Task<byte[]> ReadExactAsync(this PipeReader reader, int length)
    {
        // Takes each piece as it comes: what is only looked at counts as unread.
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            var read = await reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(Guard);
            var piece = read.Buffer.Slice(0, Math.Min(length - at, read.Buffer.Length));
            piece.CopyTo(bytes.AsSpan(at));
            at += (int)piece.Length;
            reader.AdvanceTo(piece.End);
            Assert.True(at == length || !read.IsCompleted, $"ended after {at} of {length} bytes");
        }
        return bytes;
    }

    /// <summary>Reads to the end.</summary>
    public static async Task<byte[]> ReadAllAsync(this PipeReader reader)
    {
        using var all = new MemoryStream();
        await reader.CopyToAsync(all, CancellationToken.None).WaitAsync(Guard);
        return all.ToArray();
    }

    public static Task SendAsync(this PipeWriter writer, ReadOnlyMemory<byte> bytes) => writer.WriteAsync(bytes, CancellationToken.None).AsTask();

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Guard);

    public static Task Soon(this Task task) => task.WaitAsync(Guard);

    /// <summary>Waits for a loop that was stopped; how it ended does not matter.</summary>
    public static async Task Quietly(this Task task) => await task.WaitAsync(Guard).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
