using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>Reads one connection until it is lost.</summary>
internal static class ConnectionLoop
{
    /// <summary>Messages that are read before their reader hears of them, at most.</summary>
    private const int Together = 32;

    /// <summary>Returns why the connection is lost. Bad messages are dropped, never fatal (protocol §2.1).</summary>
    internal static async Task<string> RunAsync(
        DataChannel channel, MessageSocket socket, ChannelRole role, Transmitter transmitter, Receiver receiver, Backoff backoff, ILogger? logger)
    {
        var untold = 0;
        while (true)
        {
            Received received;
            try
            {
                var receiving = socket.ReceiveAsync();
                if (!receiving.IsCompleted || ++untold == Together)
                {
                    untold = 0;
                    receiver.Tell();
                }
                received = await receiving;
            }
            catch (Exception e)
            {
                receiver.Tell();
                return e.Message;
            }
            if (received == Received.Closed)
            {
                receiver.Tell();
                return socket.CloseReason;
            }
            var fault = MessageFault.TooShort;
            AgentMessageHeader header = default;
            if (received == Received.Message) fault = AgentMessageReader.Read(socket.Message, role.VerifiesDigests, out header);
            if (fault != MessageFault.None)
            {
                logger?.LogDebug("Session {SessionId}: a message was dropped ({Fault})", role.SessionId, received == Received.TooLarge ? "TooLarge" : fault);
                continue;
            }
            backoff.Reset();
            var type = header.MessageType;
            if (ReferenceEquals(type, role.ReceiveType) || type == role.ReceiveType)
            {
                while (receiver.Offer(header, socket) == Arrival.Full && !transmitter.WaitsForRoom && !channel.Ended.IsCompleted)
                {
                    // The reader is far behind a peer that has no window: the network holds the rest back. But when a sender of ours waits
                    // for acknowledgements they must be read, so then the message is dropped; the peer sends it again.
                    receiver.Tell();
                    await receiver.WaitForRoomAsync();
                }
                if (role.DataEndsPause) transmitter.Unpause();
            }
            else if (!Dispatch(channel, socket.Message[header.PayloadOffset..], type, transmitter))
            {
                logger?.LogDebug("Session {SessionId}: {MessageType} ignored", role.SessionId, type);
            }
            if (channel.Ended.IsCompleted) return "ended";
        }
    }

    private static bool Dispatch(DataChannel channel, ReadOnlySpan<byte> payload, string type, Transmitter transmitter)
    {
        switch (type)
        {
            case MessageTypes.Acknowledge:
                if (!Acknowledgement.TryRead(payload, out var sequence)) return false;
                transmitter.OnAcknowledged(sequence);
                return true;
            case MessageTypes.ChannelClosed:
                channel.End(new(SessionEndKind.Closed, ServiceMessages.ReadChannelClosedOutput(payload)), discard: false);
                return true;
            case MessageTypes.PausePublication:
                transmitter.Pause();
                return true;
            case MessageTypes.StartPublication:
                transmitter.Unpause();
                return true;
            default:
                return type is MessageTypes.DataChannelReady or MessageTypes.ControlChannelReady;
        }
    }
}
