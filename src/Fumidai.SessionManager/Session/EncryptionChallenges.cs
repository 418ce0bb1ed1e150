using System.Text.Json;

namespace Fumidai.SessionManager;

/// <summary>The proof that both ends hold the same data key (protocol §4.3): 64 random bytes, sealed by one end, sealed again by the other.</summary>
internal static class EncryptionChallenges
{
    internal const int Size = 64;

    internal static byte[] Seal(ReadOnlySpan<byte> secret, SessionCipher cipher)
    {
        var bytes = new byte[secret.Length + SessionCipher.Overhead];
        cipher.Seal(secret, bytes);
        return JsonSerializer.SerializeToUtf8Bytes(new EncryptionChallenge(Convert.ToBase64String(bytes)), MessageJson.Relaxed.EncryptionChallenge);
    }

    internal static bool TryOpen(ReadOnlySpan<byte> payload, SessionCipher cipher, out byte[] secret)
    {
        secret = [];
        if (MessageJson.TryRead(payload, MessageJson.Relaxed.EncryptionChallenge)?.Challenge is not { } text) return false;
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, bytes, out var length) || !cipher.TryOpen(bytes.AsSpan(0, length), out var plaintext)) return false;
        secret = bytes[..length][plaintext];
        return true;
    }
}

/// <summary>What the data key is bound to.</summary>
internal static class SessionKeyContext
{
    internal static Dictionary<string, string> Of(string sessionId, string target, string? challenge)
    {
        var context = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["aws:ssm:SessionId"] = sessionId,
            ["aws:ssm:TargetId"] = target,
        };
        if (challenge is not null) context["aws:ssm:RandomChallenge"] = challenge;
        return context;
    }
}
