using System.Runtime.InteropServices;

namespace Fumidai.Cli;

/// <summary>
/// Standard output or error as they are. .NET's console streams put the terminal into application mode as soon as they are written to, and a
/// file stream keeps an offset of its own, over which a client that shares the file would write.
/// </summary>
internal sealed class UnixOutput(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int BrokenPipe = 32;
    // EAGAIN: 11 on Linux, 35 on macOS.
    private static readonly int WouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;

    /// <summary>Standard output or error of this process, whatever the system.</summary>
    internal static Stream Open(bool error) =>
        OperatingSystem.IsWindows() ? (error ? Console.OpenStandardError() : Console.OpenStandardOutput()) : new UnixOutput(error ? 2 : 1);

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var written = Libc.Write(descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }
            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock)
                Libc.WaitUntilWritable(descriptor);
            else if (error == BrokenPipe)
                return; // the reader has seen enough, and that is no failure of ours
            else if (error != Interrupted)
                throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
