namespace Fumidai.SessionManager;

/// <summary>
/// Offsets of the binary message, in bytes from its start; integers are big-endian (protocol §2).
/// <code>
///   0   4  HeaderLength   offset of PayloadLength: 116, or 112 where the service left PayloadType out
///   4  32  MessageType    ASCII, padded with spaces (peers) or NULs (service)
///  36   4  SchemaVersion  1
///  40   8  CreatedDate    ms since 1970-01-01 UTC
///  48   8  SequenceNumber
///  56   8  Flags
///  64  16  MessageId      UUID, its second half first
///  80  32  PayloadDigest  SHA-256 of the payload as on the wire
/// 112   4  PayloadType    absent when HeaderLength is 112
/// 116   4  PayloadLength
/// 120   n  Payload        to the end of the frame
/// </code>
/// </summary>
internal static class AgentMessageLayout
{
    internal const int MessageType = 4;
    internal const int MessageTypeSize = 32;
    internal const int SchemaVersion = 36;
    internal const int CreatedDate = 40;
    internal const int SequenceNumber = 48;
    internal const int Flags = 56;
    internal const int MessageId = 64;
    internal const int PayloadDigest = 80;
    internal const int DigestSize = 32;
    internal const int PayloadType = 112;
    internal const int LengthSize = 4;

    /// <summary>HeaderLength as both official ends write it.</summary>
    internal const int PeerHeader = 116;
    /// <summary>HeaderLength of messages made by the service.</summary>
    internal const int ServiceHeader = 112;
    /// <summary>Where the payload of a peer's message begins.</summary>
    internal const int Payload = PeerHeader + LengthSize;
}
