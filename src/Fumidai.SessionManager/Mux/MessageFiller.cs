using System.Buffers;

namespace Fumidai.SessionManager;

/// <summary>Packs bytes into Output messages of exactly <see cref="IPayloadChannel.MaxPayload"/> bytes while there is more to send; <see cref="SendAsync"/> sends what there is.</summary>
internal sealed class MessageFiller(IPayloadChannel channel)
{
    private byte[] _message = new byte[channel.MaxPayload];
    private int _filled;

    /// <summary>Whether a message has been begun.</summary>
    public bool HasBytes => _filled > 0;

    /// <summary>Room left in the message being filled; a fresh one when it is empty.</summary>
    public int Room
    {
        get
        {
            // The channel may raise its limit between two messages, never within one.
            if (_filled == 0 && _message.Length != channel.MaxPayload) _message = new byte[channel.MaxPayload];
            return _message.Length - _filled;
        }
    }

    /// <summary>Bytes that a whole message takes.</summary>
    public int Capacity => _message.Length;

    /// <summary>Adds bytes; sends every message that gets full.</summary>
    public async ValueTask AddAsync(ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            var part = bytes.Slice(0, Math.Min(Room, bytes.Length));
            part.CopyTo(_message.AsSpan(_filled));
            _filled += (int)part.Length;
            bytes = bytes.Slice(part.End);
            if (Room == 0) await SendAsync(cancellationToken).ConfigureAwait(false);
            if (bytes.IsEmpty) return;
        }
    }

    /// <summary>Adds an smux header.</summary>
    public ValueTask AddAsync(MuxFrameHeader header, CancellationToken cancellationToken)
    {
        if (Room <= MuxFrameHeader.Size) return AddSplitAsync(header, cancellationToken);
        header.Write(_message.AsSpan(_filled));
        _filled += MuxFrameHeader.Size;
        return ValueTask.CompletedTask;
    }

    /// <summary>Sends what there is as one message.</summary>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        if (_filled == 0) return;
        await channel.SendAsync(PayloadType.Output, _message.AsMemory(0, _filled), cancellationToken).ConfigureAwait(false);
        _filled = 0;
    }

    private ValueTask AddSplitAsync(MuxFrameHeader header, CancellationToken cancellationToken)
    {
        var bytes = new byte[MuxFrameHeader.Size];
        header.Write(bytes);
        return AddAsync(new ReadOnlySequence<byte>(bytes), cancellationToken);
    }
}
