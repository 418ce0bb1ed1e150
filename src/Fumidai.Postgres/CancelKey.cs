using System.Buffers.Binary;
using System.Globalization;

namespace Fumidai.Postgres;

/// <summary>What entitles to cancel a query: the backend's process id and a secret. Two keys are equal when both are.</summary>
public sealed class CancelKey : IEquatable<CancelKey>
{
    /// <summary>Longest secret, in bytes (protocol 3.2; four in 3.0).</summary>
    public const int MaxSecretLength = 256;

    private readonly byte[] _secret;

    /// <param name="processId">Process id as the server tells it.</param>
    /// <param name="secret">The secret's bytes; copied.</param>
    public CancelKey(int processId, ReadOnlySpan<byte> secret) => (ProcessId, _secret) = (processId, secret.ToArray());

    /// <summary>The backend's process id.</summary>
    public int ProcessId { get; }

    /// <summary>The secret.</summary>
    public ReadOnlySpan<byte> Secret => _secret;

    /// <summary>The CancelRequest packet that uses it.</summary>
    public byte[] ToRequest()
    {
        var packet = new byte[12 + _secret.Length];
        BinaryPrimitives.WriteInt32BigEndian(packet, packet.Length);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), 80877102);
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(8), ProcessId);
        _secret.CopyTo(packet, 12);
        return packet;
    }

    /// <summary>The BackendKeyData message that hands it out.</summary>
    public byte[] ToBackendKeyData()
    {
        var message = new byte[9 + _secret.Length];
        message[0] = (byte)'K';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 1);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(5), ProcessId);
        _secret.CopyTo(message, 9);
        return message;
    }

    /// <inheritdoc/>
    public bool Equals(CancelKey? other) => other is not null && other.ProcessId == ProcessId && other._secret.AsSpan().SequenceEqual(_secret);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CancelKey);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(ProcessId);
        hash.AddBytes(_secret);
        return hash.ToHashCode();
    }

    /// <summary>The process id only.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"process {ProcessId}");
}
