namespace Fumidai.SessionManager.Tests;

/// <summary>What a sequence of Output payloads says in smux: each stream's bytes, and the order of SYN, data and FIN, without where it was cut.</summary>
internal sealed class SmuxLog
{
    private readonly Dictionary<uint, MemoryStream> _bytes = [];
    private MuxFrameReader _reader;

    /// <summary>In order: <c>SYN 3</c>, <c>DATA 3</c> (once), <c>FIN 3</c>, <c>NOP</c>.</summary>
    public List<string> Events { get; } = [];

    public IEnumerable<uint> Streams => _bytes.Keys;

    public void Add(ReadOnlySpan<byte> payload)
    {
        while (_reader.TryRead(ref payload, out var part))
        {
            switch (part.Command)
            {
                case MuxCommand.Nop:
                    Events.Add("NOP");
                    break;
                case MuxCommand.Psh:
                    Of(part.StreamId).Write(part.Data);
                    if (!Events.Contains($"DATA {part.StreamId}")) Events.Add($"DATA {part.StreamId}");
                    break;
                default:
                    Of(part.StreamId);
                    Events.Add($"{part.Command.ToString().ToUpperInvariant()} {part.StreamId}");
                    break;
            }
        }
    }

    /// <summary>Bytes that the last frame still owes.</summary>
    public int Missing => _reader.Owed;

    public byte[] BytesOf(uint stream) => _bytes.TryGetValue(stream, out var bytes) ? bytes.ToArray() : [];

    /// <summary>One stream's own order.</summary>
    public string[] EventsOf(uint stream) => [.. Events.Where(each => each.EndsWith($" {stream}", StringComparison.Ordinal))];

    private MemoryStream Of(uint stream) => _bytes.TryGetValue(stream, out var bytes) ? bytes : _bytes[stream] = new MemoryStream();
}
