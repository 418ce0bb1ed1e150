using System.Security.Cryptography;

namespace Fumidai.SessionManager;

/// <summary>Random UUIDs (version 4), one call to the system's generator for 64 of them. For one task at a time.</summary>
internal sealed class MessageIds
{
    private readonly byte[] _random = new byte[64 * 16];
    private int _used = 64 * 16;

    internal Guid Next()
    {
        if (_used == _random.Length)
        {
            RandomNumberGenerator.Fill(_random);
            _used = 0;
        }
        var bytes = _random.AsSpan(_used, 16);
        _used += 16;
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
