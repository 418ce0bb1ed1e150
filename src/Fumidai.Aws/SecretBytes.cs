using System.Security.Cryptography;

namespace Fumidai.Aws;

/// <summary>A secret as bytes that are zeroed when it is disposed. Strings cannot be; so what is kept for longer than one call is kept like this.</summary>
public sealed class SecretBytes : IDisposable
{
    // Pinned: the collector must not leave copies behind when it compacts.
    private readonly byte[] _bytes;

    /// <param name="bytes">Copied.</param>
    public SecretBytes(ReadOnlySpan<byte> bytes)
    {
        _bytes = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(_bytes);
    }

    /// <summary>The secret, UTF-8; zeros after <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes;

    /// <summary>A copy with a life of its own.</summary>
    public SecretBytes Copy() => new(_bytes);

    /// <summary>Whether both hold the same, in constant time.</summary>
    public bool IsSameAs(SecretBytes other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);
    }

    /// <summary>Zeroes it.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";
}
