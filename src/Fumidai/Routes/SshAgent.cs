using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Renci.SshNet;
using Renci.SshNet.Security;

namespace Fumidai;

/// <summary>The keys of a running ssh-agent, offered as SSH.NET takes keys. The private halves stay with the agent.</summary>
/// <remarks>Source: draft-ietf-sshm-ssh-agent: requests 11 (identities) and 13 (sign), answers 12 and 14, flags 4 for rsa-sha2-512.</remarks>
internal sealed class SshAgent(string socketPath)
{
    private const int MaxAnswer = 256 * 1024;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>Its keys; empty when it has none or does not answer. At most <paramref name="most"/>: a server counts each offer as a try.</summary>
    internal IReadOnlyList<IPrivateKeySource> Keys(int most)
    {
        try
        {
            var answer = Ask([11], expected: 12);
            var keys = new List<IPrivateKeySource>();
            var reader = new AgentReader(answer);
            for (var left = reader.UInt32(); left > 0 && keys.Count < most; left--)
            {
                var blob = reader.Bytes();
                _ = reader.Bytes(); // comment
                if (Algorithm(blob) is { } algorithm)
                    keys.Add(new AgentKey(new AgentAlgorithm(algorithm, blob, this)));
            }
            return keys;
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidDataException)
        {
            return [];
        }
    }

    private static string? Algorithm(byte[] blob) =>
        Encoding.ASCII.GetString(new AgentReader(blob).Bytes()) switch
        {
            "ssh-rsa" => "rsa-sha2-512",
            var type when type.StartsWith("ecdsa-sha2-", StringComparison.Ordinal) || type is "ssh-ed25519" || type.StartsWith("sk-", StringComparison.Ordinal) => type,
            _ => null, // certificates and DSA
        };

    private byte[] Sign(byte[] blob, byte[] data, uint flags)
    {
        var request = new byte[1 + 4 + blob.Length + 4 + data.Length + 4];
        request[0] = 13;
        var at = 1;
        foreach (var part in new[] { blob, data })
        {
            BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(at), part.Length);
            part.CopyTo(request, at + 4);
            at += 4 + part.Length;
        }
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(at), flags);
        return new AgentReader(Ask(request, expected: 14)).Bytes();
    }

    private byte[] Ask(byte[] request, byte expected)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.SendTimeout = socket.ReceiveTimeout = (int)AnswerLimit.TotalMilliseconds;
        socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        var framed = new byte[4 + request.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, request.Length);
        request.CopyTo(framed, 4);
        using var stream = new NetworkStream(socket);
        stream.Write(framed);
        Span<byte> head = stackalloc byte[5];
        stream.ReadExactly(head);
        var length = BinaryPrimitives.ReadInt32BigEndian(head) - 1;
        if (length is < 0 or > MaxAnswer || head[4] != expected)
            throw new InvalidDataException("the ssh-agent refused");
        var answer = new byte[length];
        stream.ReadExactly(answer);
        return answer;
    }

    private sealed class AgentKey(AgentAlgorithm algorithm) : IPrivateKeySource
    {
        public IReadOnlyCollection<HostAlgorithm> HostKeyAlgorithms { get; } = [algorithm];
    }

    private sealed class AgentAlgorithm(string name, byte[] blob, SshAgent agent) : HostAlgorithm(name)
    {
        public override byte[] Data => blob;

        public override byte[] Sign(byte[] data) => agent.Sign(blob, data, flags: Name == "rsa-sha2-512" ? 4u : 0u);

        public override bool VerifySignature(byte[] data, byte[] signature) => throw new NotSupportedException("an agent's key signs only");
    }
}

/// <summary>Fields of an agent's answer in wire order, never past its end.</summary>
file ref struct AgentReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public uint UInt32()
    {
        if (_rest.Length < 4)
            throw new InvalidDataException("the ssh-agent's answer ends early");
        var value = BinaryPrimitives.ReadUInt32BigEndian(_rest);
        _rest = _rest[4..];
        return value;
    }

    public byte[] Bytes()
    {
        var length = UInt32();
        if (length > _rest.Length)
            throw new InvalidDataException("the ssh-agent's answer ends early");
        var value = _rest[..(int)length].ToArray();
        _rest = _rest[(int)length..];
        return value;
    }
}
