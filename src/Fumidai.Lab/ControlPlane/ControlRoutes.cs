using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Fumidai.Lab;

/// <summary>
/// The lab's own calls, beside AWS's, unsigned:
/// <list type="bullet">
/// <item><c>GET /my-ip</c>: the caller's address as text, as AWS's address service answers.</item>
/// <item><c>GET /lab/clock</c>: the lab's time, ISO 8601.</item>
/// <item><c>POST /lab/clock?advance=SECONDS</c>: lets time pass; timers due within fire. Answers the new time.</item>
/// <item><c>POST /lab/clock?skew=SECONDS</c>: sets the calendar off by so much (negative too; 0 sets it right) without letting time pass.</item>
/// <item><c>POST /lab/pause?cluster=ID</c>: puts a cluster with MinCapacity 0 to 0 ACU.</item>
/// <item><c>GET /lab/quota</c>, <c>POST /lab/quota?vpcs=N</c>: how many VPCs an account may have in a region.</item>
/// </list>
/// </summary>
internal sealed class ControlRoutes(LabContext context) : ILabRoutes
{
    public const string OwnAddressPath = "/my-ip";
    public const string ClockPath = "/lab/clock";
    public const string QuotaPath = "/lab/quota";
    public const string PausePath = "/lab/pause";

    public bool Owns(HttpRequest request) => request.Path == OwnAddressPath || request.Path.StartsWithSegments("/lab", StringComparison.Ordinal);

    public Task AnswerAsync(HttpContext http)
    {
        var request = http.Request;
        if (request.Path == OwnAddressPath && HttpMethods.IsGet(request.Method))
            return TextAsync(http, 200, (http.Connection.RemoteIpAddress ?? IPAddress.Loopback).MapToIPv4().ToString());
        if (request.Path == QuotaPath)
            return QuotaAsync(http);
        if (request.Path == PausePath && HttpMethods.IsPost(request.Method))
            return PauseAsync(http);
        if (request.Path != ClockPath)
            return TextAsync(http, 404, "no such control call");
        if (HttpMethods.IsPost(request.Method))
        {
            if (Seconds(request, "advance") is { } advance && advance >= TimeSpan.Zero)
                context.Time.Advance(advance);
            else if (Seconds(request, "skew") is { } skew)
                context.Time.Skew = skew;
            else
                return TextAsync(http, 400, "advance=SECONDS or skew=SECONDS is needed");
            context.Calls.Report("lab:MoveClock", null, "200");
        }
        return TextAsync(http, 200, context.Time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture));
    }

    private Task QuotaAsync(HttpContext http)
    {
        if (HttpMethods.IsPost(http.Request.Method))
        {
            if (!int.TryParse(http.Request.Query["vpcs"], NumberStyles.None, CultureInfo.InvariantCulture, out var vpcs))
                return TextAsync(http, 400, "vpcs=N is needed");
            context.Model.Change(m => m.VpcQuota = vpcs);
            context.Calls.Report("lab:SetQuota", null, "200");
        }
        return TextAsync(http, 200, context.Model.Read(m => string.Create(CultureInfo.InvariantCulture, $"vpcs={m.VpcQuota}")));
    }

    /// <summary>Puts a cluster that may be paused (MinCapacity 0) to 0 ACU.</summary>
    private Task PauseAsync(HttpContext http)
    {
        var id = http.Request.Query["cluster"].ToString();
        var isPaused = context.Model.Change(m => m.DbClusters.TryGetValue(id, out var cluster) && cluster.MinCapacity == 0 && (cluster.IsPaused = true));
        context.Calls.Report("lab:Pause", null, isPaused ? "200" : "400");
        return isPaused ? TextAsync(http, 200, "paused") : TextAsync(http, 400, "cluster=ID of a cluster with MinCapacity 0 is needed");
    }

    private static TimeSpan? Seconds(HttpRequest request, string name) =>
        double.TryParse(request.Query[name], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds) < 1e9 ? TimeSpan.FromSeconds(seconds) : null;

    private static Task TextAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(text + "\n", http.RequestAborted);
    }
}
