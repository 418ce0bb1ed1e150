using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Fumidai.Lab;

/// <summary>
/// A packet filter on one listening socket (Linux SO_ATTACH_FILTER, classic BPF): SYNs from elsewhere are dropped by the kernel before
/// anybody sees them, so the connect hangs and, once a rule lets it, succeeds with the next SYN, as behind a security group. Needs no rights.
/// Connections already accepted keep the filter they were born with: tracked ones live on.
/// </summary>
internal static class SocketFilter
{
    private const int SolSocket = 1;
    private const int SoAttachFilter = 26;

    /// <summary>Offset 12 of the IPv4 header: the source address; SKF_NET_OFF makes it reachable from a TCP socket's filter.</summary>
    private const uint SourceAddress = unchecked((uint)-0x100000) + 12;

    /// <summary>Lets pass only packets from these networks; empty: none.</summary>
    /// <returns>False where the kernel has no such filter (not Linux, some sandboxes).</returns>
    public static bool TryAllow(Socket listener, IReadOnlyList<IPNetwork> sources)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        var program = Compile(sources);
        var code = GCHandle.Alloc(program, GCHandleType.Pinned);
        try
        {
            // struct sock_fprog { unsigned short len; struct sock_filter *filter; }, aligned as a pointer is.
            Span<byte> header = stackalloc byte[2 * IntPtr.Size];
            header.Clear();
            BitConverter.TryWriteBytes(header, (ushort)(program.Length / 8));
            var address = code.AddrOfPinnedObject();
            MemoryMarshal.Write(header[IntPtr.Size..], in address);
            listener.SetRawSocketOption(SolSocket, SoAttachFilter, header);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        finally
        {
            code.Free();
        }
    }

    /// <summary>For each network: load the source, mask it, compare; equal accepts, and what matched nothing is dropped.</summary>
    internal static byte[] Compile(IReadOnlyList<IPNetwork> sources)
    {
        const ushort loadWordAbsolute = 0x20, andConstant = 0x54, jumpIfEqual = 0x15, answer = 0x06;
        List<(ushort Code, byte True, byte False, uint Constant)> program = [];
        foreach (var network in sources)
        {
            if (network.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
                continue;
            var mask = network.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - network.PrefixLength);
            program.Add((loadWordAbsolute, 0, 0, SourceAddress));
            program.Add((andConstant, 0, 0, mask));
            program.Add((jumpIfEqual, 0, 1, BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes()) & mask));
            program.Add((answer, 0, 0, uint.MaxValue));
        }
        program.Add((answer, 0, 0, 0));
        var bytes = new byte[program.Count * 8];
        for (var i = 0; i < program.Count; i++)
        {
            var at = bytes.AsSpan(i * 8);
            var (code, whenTrue, whenFalse, constant) = program[i];
            BitConverter.TryWriteBytes(at, code);
            at[2] = whenTrue;
            at[3] = whenFalse;
            BitConverter.TryWriteBytes(at[4..], constant);
        }
        return bytes;
    }
}
