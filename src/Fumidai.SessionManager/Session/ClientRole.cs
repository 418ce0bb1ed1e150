using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>The laptop's end: how it connects and answers the handshake.</summary>
internal sealed class ClientRole(StreamTicket ticket, ISessionControl control, ClientChannelOptions options) : ChannelRole
{
    internal const int FirstAttempts = 7;
    private readonly string _clientId = Guid.NewGuid().ToString("D");   // the same on every connection of the session (protocol §1.5)

    internal override string SessionId => ticket.SessionId;
    internal override string SendType => MessageTypes.InputStreamData;
    internal override string ReceiveType => MessageTypes.OutputStreamData;
    internal override MessageFlags FirstFlags => MessageFlags.None;
    internal override bool VerifiesDigests => true;
    internal override int MessagesPerSecond => options.MessagesPerSecond;
    internal override int Burst => Pacing.Burst;
    internal override int LargestPayload => Math.Max(options.MaxPayload, options.LargestPayload);
    internal override UploadLimits Limits => options.Limits;
    internal override TimeSpan? PauseLimit => TimeSpan.FromSeconds(2);
    internal override bool StopsResendingWhenPaused => false;
    internal override bool DataEndsPause => false;
    internal override TimeSpan StartLimit => options.HandshakeTimeout;

    internal override async Task<MessageSocket> OpenAsync(FrameBuffers buffers, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(options.Time);
        while (true)
        {
            await backoff.WaitAsync(cancellationToken);
            try
            {
                return await OpenAsync(ticket, buffers, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                if (backoff.Attempts == FirstAttempts || IsRefusal(e))
                    throw new SessionEndedException(new(SessionEndKind.Failed, $"the data channel could not be opened: {Innermost(e)}"), e);
                options.Logger?.LogInformation("Session {SessionId}: attempt {Attempt} to connect failed ({Error})", SessionId, backoff.Attempts, Innermost(e));
            }
        }
    }

    internal override async Task<MessageSocket?> ReopenAsync(FrameBuffers buffers, CancellationToken cancellationToken)
        => await control.ResumeAsync(SessionId, cancellationToken) is { } fresh ? await OpenAsync(fresh, buffers, cancellationToken) : null;

    private async Task<MessageSocket> OpenAsync(StreamTicket with, FrameBuffers buffers, CancellationToken cancellationToken)
    {
        WebSocket websocket;
        if (options.Connect is { } connect)
        {
            websocket = await connect(with, cancellationToken);
        }
        else
        {
            var headers = await control.SignAsync(with.StreamUrl, cancellationToken);
            websocket = await BatchedWebSocket.ConnectAsync(with.StreamUrl, headers, options.Socket, options.Time, cancellationToken);
        }
        var socket = new MessageSocket(websocket, buffers);
        try
        {
            var open = new OpenDataChannel("1.0", Guid.NewGuid().ToString("D"), with.Token, _clientId, options.ClientVersion);
            await socket.SendTextAsync(JsonSerializer.SerializeToUtf8Bytes(open, MessageJson.Relaxed.OpenDataChannel), cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An answer that will not change by asking again.</summary>
    private static bool IsRefusal(Exception e) => e.Data["HttpStatus"] is int and >= 400 and < 500 and not (408 or 429);

    private static string Innermost(Exception e) => e.Data["HttpStatus"] is int status ? $"HTTP {status}" : e.GetBaseException().Message;

    internal override Task<Handshake> ShakeHandsAsync(DataChannel channel, CancellationToken cancellationToken)
        => new ClientHandshake(channel, options).RunAsync(cancellationToken);
}
