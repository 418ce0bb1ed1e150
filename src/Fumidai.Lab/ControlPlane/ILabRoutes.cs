using Microsoft.AspNetCore.Http;

namespace Fumidai.Lab;

/// <summary>Paths beside the AWS API on the same port: the relay's REST calls and websockets.</summary>
internal interface ILabRoutes
{
    /// <summary>Whether this request is its own, e.g. by <c>/v1/data-channel/</c> at the front of the path.</summary>
    bool Owns(HttpRequest request);

    /// <summary>
    /// Answers it whole, websocket upgrades too (<c>HttpContext.WebSockets</c> works). It checks the signature itself with
    /// <see cref="RequestAuthentication.Authenticate"/>. Returning ends the exchange, so a websocket is served until it closes.
    /// </summary>
    Task AnswerAsync(HttpContext context);
}
