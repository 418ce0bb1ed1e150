using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Fumidai;

/// <summary>Event ids 400 to 419. Never payload, never secrets.</summary>
internal static partial class TunnelLog
{
    [LoggerMessage(EventId = 400, Level = LogLevel.Debug, Message = "Connection over: {Up} bytes up, {Down} bytes down, ended by {Blame}")]
    public static partial void ConnectionEnded(this ILogger logger, long up, long down, CopySide blame);

    [LoggerMessage(EventId = 401, Level = LogLevel.Debug, Message = "Connection failed")]
    public static partial void ConnectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 402, Level = LogLevel.Debug, Message = "Accept failed: {Error}")]
    public static partial void AcceptFailed(this ILogger logger, SocketError error);

    [LoggerMessage(EventId = 403, Level = LogLevel.Debug, Message = "Tunnel to {Target} did not end cleanly")]
    public static partial void EndedBadly(this ILogger logger, string target, Exception exception);

    [LoggerMessage(EventId = 404, Level = LogLevel.Debug, Message = "Route {Place}: {Name} {Bastion} ({Reason})")]
    public static partial void RouteRanked(this ILogger logger, int place, string name, string bastion, string reason);

    [LoggerMessage(EventId = 405, Level = LogLevel.Debug, Message = "No route: {Name} {Bastion} ({Reason})")]
    public static partial void RouteRejected(this ILogger logger, string name, string bastion, string reason);

    [LoggerMessage(EventId = 406, Level = LogLevel.Debug, Message = "A client could not be signed in: {Kind}")]
    public static partial void SignInFailed(this ILogger logger, string kind);

    [LoggerMessage(EventId = 407, Level = LogLevel.Debug, Message = "No Unix socket for the auth proxy")]
    public static partial void NoSocket(this ILogger logger, Exception exception);
}
