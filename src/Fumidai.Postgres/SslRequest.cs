namespace Fumidai.Postgres;

/// <summary>
/// The question a client may ask before anything else: will you speak TLS? Answered by one byte, or refused by an ErrorResponse.
/// It costs the server no login and no backend session, which makes it the probe of "ready".
/// </summary>
/// <remarks>Source: PostgreSQL documentation, "Message Formats", SSLRequest.</remarks>
public static class SslRequest
{
    /// <summary>The eight bytes: length 8, then code 80877103 (1234 and 5679), both big-endian.</summary>
    public static ReadOnlySpan<byte> Bytes => [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];
}
