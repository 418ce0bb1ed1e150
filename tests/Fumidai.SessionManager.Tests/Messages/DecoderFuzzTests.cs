using CsCheck;
using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>No input crashes a decoder, hangs it, or makes it allocate beyond a bound that depends on the input's size only.</summary>
public sealed class DecoderFuzzTests
{
    private static readonly byte[][] Seeds = [.. Vectors.Messages.Where(v => !v.IsSmux && v.Bytes is { Length: < 2000 }).Select(v => v.Bytes!)];

    private static readonly Gen<byte[]> Mutated =
        from seed in Gen.Int[0, Seeds.Length - 1].Select(i => Seeds[i])
        from edits in Gen.Select(Gen.Int[0, 1999], Gen.Byte).Array[0, 8]
        from length in Gen.Int[0, seed.Length]
        from cut in Gen.Bool
        select Edit(seed, edits, cut ? length : seed.Length);

    private static readonly Gen<byte[]> Any = Gen.OneOf(Mutated, Gen.Byte.Array[0, 300]);

    private static byte[] Edit(byte[] seed, (int At, byte Value)[] edits, int length)
    {
        var bytes = seed.ToArray();
        foreach (var (at, value) in edits)
            if (bytes.Length > 0)
                bytes[at % bytes.Length] = value;
        return bytes[..length];
    }

    private static void Sample(Action<byte[]> decode, int allowance) => Any.Sample(bytes =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        decode(bytes);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= allowance + (64 * bytes.Length), $"{allocated} bytes for an input of {bytes.Length}");
    }, iter: 20_000, threads: 1);

    [Fact]
    public void The_message_reader_survives_anything() => Sample(bytes =>
    {
        foreach (var verify in (bool[])[true, false])
            if (AgentMessage.TryParse(bytes, out var message, out _, verify))
                Assert.Equal(bytes.Length, message.Size);
    }, 16 * 1024);

    [Fact]
    public void The_acknowledgement_reader_survives_anything() =>
        Sample(bytes => Acknowledgement.TryRead(bytes.AsSpan(Math.Min(bytes.Length, 120)), out _), 64 * 1024);

    [Fact]
    public void A_name_that_is_escaped_and_not_UTF8_is_no_acknowledgement() =>      // found by the test above
        Assert.False(Acknowledgement.TryRead([.. "{\"AcknowledgedMessageSequence\\u004eumber"u8, 0x8F, .. "\":5}"u8], out _));

    [Fact]
    public void The_handshake_readers_survive_anything() => Sample(bytes =>
    {
        var payload = bytes.AsSpan(Math.Min(bytes.Length, 120));
        foreach (var action in MessageJson.TryRead(payload, MessageJson.Relaxed.HandshakeRequest)?.RequestedClientActions ?? [])
        {
            if (action is null) continue;
            var session = MessageJson.TryRead(action.ActionParameters, MessageJson.Relaxed.SessionTypeParameters);
            new Handshake("", "", "", session?.Properties ?? default, "").Property("type");
            MessageJson.TryRead(action.ActionParameters, MessageJson.Relaxed.KmsEncryptionParameters);
        }
        foreach (var action in MessageJson.TryRead(payload, MessageJson.Relaxed.HandshakeResponse)?.ProcessedClientActions ?? [])
            if (action?.ActionResult is { } result)
                MessageJson.TryRead(result, MessageJson.Relaxed.KmsEncryptionResult);
        MessageJson.TryRead(payload, MessageJson.Relaxed.HandshakeComplete);
        MessageJson.TryRead(payload, MessageJson.Relaxed.EncryptionChallenge);
        ServiceMessages.ReadChannelClosedOutput(payload);
        ServiceMessages.TryReadFlag(payload, out _);
    }, 256 * 1024);

    [Fact]
    public void A_sealed_payload_that_was_touched_does_not_open()
    {
        using var client = new SessionCipher(new byte[64], isAgent: false);
        using var agent = new SessionCipher(new byte[64], isAgent: true);
        Gen.Select(Gen.Byte.Array[1, 100], Gen.Int[0, 10_000], Gen.Int[0, 7]).Sample((plaintext, at, bit) =>
        {
            var bytes = new byte[plaintext.Length + SessionCipher.Overhead];
            client.Seal(plaintext, bytes);
            var touched = bytes.ToArray();
            touched[at % touched.Length] ^= (byte)(1 << bit);
            Assert.False(agent.TryOpen(touched, out _));
            Assert.True(agent.TryOpen(bytes, out var range));
            Assert.Equal(plaintext, bytes[range]);
        }, iter: 2000, threads: 1);
        Assert.False(agent.TryOpen(new byte[27], out _));
    }
}
