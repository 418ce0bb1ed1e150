using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Fumidai.SessionManager;

/// <summary>
/// KMS encryption of payloads: AES-256-GCM, 12-byte nonce ‖ ciphertext ‖ 16-byte tag, no associated data (protocol §4.3). Bytes 0–31 of the data
/// key seal what the agent sends, 32–63 what the client sends. Sealing and opening may each be done by one task at a time.
/// </summary>
internal sealed class SessionCipher : IDisposable
{
    internal const int KeySize = 64;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <summary>Bytes that sealing adds.</summary>
    internal const int Overhead = NonceSize + TagSize;

    private readonly AesGcm _seal;
    private readonly AesGcm _open;
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(NonceSize);

    /// <param name="dataKey">64 bytes.</param>
    /// <param name="isAgent">Which end this is.</param>
    internal SessionCipher(ReadOnlySpan<byte> dataKey, bool isAgent)
    {
        if (dataKey.Length != KeySize) throw new CryptographicException($"a session's data key has {KeySize} bytes, not {dataKey.Length}");
        var agent = new AesGcm(dataKey[..32], TagSize);
        var client = new AesGcm(dataKey[32..], TagSize);
        (_seal, _open) = isAgent ? (agent, client) : (client, agent);
    }

    /// <summary>Which payloads are sealed once the handshake is over: never flags, sizes, handshake messages.</summary>
    internal static bool Covers(PayloadType type) => type is PayloadType.Output or PayloadType.StdErr or PayloadType.ExitCode;

    /// <summary>Seals into a buffer of exactly the plaintext's length and <see cref="Overhead"/>. A random start and a counter: no nonce comes twice.</summary>
    internal void Seal(ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Count();
        _nonce.CopyTo(destination);
        _seal.Encrypt(_nonce, plaintext, destination.Slice(NonceSize, plaintext.Length), destination[(NonceSize + plaintext.Length)..]);
    }

    /// <summary>Opens in place. False: tampered with, or another key.</summary>
    /// <param name="bytes">The sealed payload; holds the plaintext afterwards.</param>
    /// <param name="plaintext">Which part of it.</param>
    internal bool TryOpen(Span<byte> bytes, out Range plaintext)
    {
        plaintext = default;
        if (bytes.Length < Overhead) return false;
        var content = bytes[NonceSize..^TagSize];
        try
        {
            _open.Decrypt(bytes[..NonceSize], content, bytes[^TagSize..], content);
        }
        catch (CryptographicException)
        {
            return false;
        }
        plaintext = NonceSize..(NonceSize + content.Length);
        return true;
    }

    private void Count()
    {
        var low = BinaryPrimitives.ReadUInt64LittleEndian(_nonce) + 1;
        BinaryPrimitives.WriteUInt64LittleEndian(_nonce, low);
        if (low == 0) BinaryPrimitives.WriteUInt32LittleEndian(_nonce.AsSpan(8), BinaryPrimitives.ReadUInt32LittleEndian(_nonce.AsSpan(8)) + 1);
    }

    public void Dispose()
    {
        _seal.Dispose();
        _open.Dispose();
    }
}
