using System.Security.Cryptography;
using System.Text;
using Fumidai.SessionManager;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Fumidai.Lab;

/// <summary>The server's half of a websocket handshake (RFC 6455 §4.2), so that frames can be batched below the websocket.</summary>
internal static class WebSocketUpgrade
{
    /// <summary>Answers 101 and takes the connection over; null: it was no proper upgrade and has been answered 400 or 426.</summary>
    public static async Task<BatchedWebSocket?> AcceptAsync(HttpContext http)
    {
        var request = http.Request;
        var upgrade = http.Features.Get<IHttpUpgradeFeature>();
        var key = request.Headers.SecWebSocketKey.ToString();
        if (upgrade is not { IsUpgradableRequest: true } || !request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase) || !IsKey(key))
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return null;
        }
        if (request.Headers.SecWebSocketVersion != "13")
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            http.Response.Headers.SecWebSocketVersion = "13";
            return null;
        }
#pragma warning disable CA5350 // the protocol names it
        var accept = SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
#pragma warning restore CA5350
        http.Response.Headers.Connection = "Upgrade";
        http.Response.Headers.Upgrade = "websocket";
        http.Response.Headers.SecWebSocketAccept = Convert.ToBase64String(accept);
        var stream = await upgrade.UpgradeAsync().ConfigureAwait(false);
        // The service answers pings and, as far as is known, sends none (protocol §1.6).
        return BatchedWebSocket.OverStream(stream, isServer: true, new SocketSettings { PingInterval = Timeout.InfiniteTimeSpan });
    }

    private static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[24];
        return key.Length == 24 && Convert.TryFromBase64String(key, bytes, out var count) && count == 16;
    }
}
