namespace Fumidai.SessionManager;

/// <summary>One step of an smux byte stream: a SYN or FIN, or a piece of a PSH frame's bytes as they arrived.</summary>
internal readonly ref struct MuxPart(MuxCommand command, uint streamId, ReadOnlySpan<byte> data)
{
    /// <summary>SYN, FIN, NOP or PSH; never UPD.</summary>
    public MuxCommand Command { get; } = command;

    /// <summary>Whose.</summary>
    public uint StreamId { get; } = streamId;

    /// <summary>Bytes of a PSH, at least one; lent from the input.</summary>
    public ReadOnlySpan<byte> Data { get; } = data;
}

/// <summary>
/// Takes the smux byte stream apart, however it was cut: frames cross payloads and payloads hold many frames. Keeps at most
/// seven bytes of an unfinished header; bytes of a PSH are handed on at once, never gathered.
/// </summary>
/// <remarks>
/// Deviations from a strict reading follow the stock library (protocol §5.5): an empty PSH is nothing; UPD takes 8 more bytes
/// whatever its length says; a length on SYN, FIN or NOP is not skipped, what follows is the next header.
/// </remarks>
internal struct MuxFrameReader
{
    private HeaderBytes _partial;
    private int _partialLength;
    private int _remaining;
    private bool _skipping;
    private uint _streamId;

    /// <summary>Bytes that the frame begun still owes.</summary>
    public readonly int Owed => _remaining;

    /// <summary>True while inside a frame: an end of input here is not a clean one.</summary>
    public readonly bool IsInsideFrame => _partialLength > 0 || _remaining > 0;

    /// <summary>The next part, cut from the front of <paramref name="input"/>. False: all of the input is used up.</summary>
    /// <exception cref="MuxProtocolException">The peer broke the protocol.</exception>
    public bool TryRead(ref ReadOnlySpan<byte> input, out MuxPart part)
    {
        while (!input.IsEmpty)
        {
            if (_remaining > 0)
            {
                var piece = input[..Math.Min(_remaining, input.Length)];
                input = input[piece.Length..];
                _remaining -= piece.Length;
                if (_skipping) continue;
                part = new MuxPart(MuxCommand.Psh, _streamId, piece);
                return true;
            }

            if (!TryReadHeader(ref input, out var header)) break;
            switch (header.Command)
            {
                case MuxCommand.Psh:
                    (_remaining, _skipping, _streamId) = (header.Length, false, header.StreamId);
                    break;
                case MuxCommand.Upd:
                    (_remaining, _skipping) = (MuxFrameHeader.UpdateSize, true);
                    break;
                default:
                    part = new MuxPart(header.Command, header.StreamId, default);
                    return true;
            }
        }
        part = default;
        return false;
    }

    private bool TryReadHeader(ref ReadOnlySpan<byte> input, out MuxFrameHeader header)
    {
        if (_partialLength == 0 && MuxFrameHeader.TryRead(input, out header))
        {
            input = input[MuxFrameHeader.Size..];
            return true;
        }
        var piece = input[..Math.Min(MuxFrameHeader.Size - _partialLength, input.Length)];
        piece.CopyTo(_partial[_partialLength..]);
        _partialLength += piece.Length;
        input = input[piece.Length..];
        if (!MuxFrameHeader.TryRead(_partial[.._partialLength], out header)) return false;
        _partialLength = 0;
        return true;
    }

    [System.Runtime.CompilerServices.InlineArray(MuxFrameHeader.Size)]
    private struct HeaderBytes
    {
        private byte _first;
    }
}
