using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Fumidai.Lab;

/// <summary>
/// The lab's one port on 127.0.0.1. It speaks http and TLS: the first byte of a connection tells them apart (22 opens a TLS handshake and no
/// HTTP request). HTTP/1.1 only, as the websocket upgrades need it.
/// </summary>
internal sealed class ApiServer : IAsyncDisposable
{
    private const byte TlsHandshake = 0x16;

    private readonly WebApplication _application;
    private readonly ApiDispatch _dispatch;

    private ApiServer(WebApplication application, ApiDispatch dispatch)
    {
        _application = application;
        _dispatch = dispatch;
    }

    /// <summary>Signing names of the emulated services.</summary>
    public IEnumerable<string> ServiceNames => _dispatch.ServiceNames;

    /// <summary>Binds the port and sets <see cref="LabContext.ApiAddress"/>.</summary>
    public static async Task<ApiServer> StartAsync(LabContext context, IReadOnlyList<ILabPart> parts, CancellationToken cancellationToken)
    {
        var dispatch = new ApiDispatch(context, [.. LabServices.Of(context), .. parts.SelectMany(p => p.Services)]);
        ILabRoutes[] routes = [new ControlRoutes(context), .. parts.SelectMany(p => p.Routes)];
        var certificate = context.Authority.IssueServer(["localhost"], [IPAddress.Loopback, IPAddress.IPv6Loopback]);

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = context.Directory });
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
            kestrel.Limits.MaxRequestBodySize = ApiDispatch.MaximumBody;
            // Data channels idle for long and stall on purpose: nothing here may cut them.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, context.Options.Port, listen => ListenForBoth(listen, certificate));
        });
        var application = builder.Build();
        try
        {
            application.UseWebSockets();
            application.Run(async http =>
            {
                foreach (var route in routes)
                {
                    if (route.Owns(http.Request))
                    {
                        await route.AnswerAsync(http).ConfigureAwait(false);
                        return;
                    }
                }
                await dispatch.AnswerAsync(http).ConfigureAwait(false);
            });
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new LabException($"Port {context.Options.Port} on 127.0.0.1 cannot be taken: {e.Message}", e);
        }
        var address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        context.ApiAddress = new Uri($"http://127.0.0.1:{new Uri(address).Port}");
        return new ApiServer(application, dispatch);
    }

    private static void ListenForBoth(ListenOptions listen, System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        listen.Protocols = HttpProtocols.Http1;
        // Middleware is built from the inside out: the last one hands out what stands behind TLS, the first one goes there directly for plain http.
        ConnectionDelegate? http = null;
        listen.Use(tls => async connection =>
        {
            var input = connection.Transport.Input;
            var read = await input.ReadAsync(connection.ConnectionClosed).ConfigureAwait(false);
            if (read.Buffer.IsEmpty)
                return;
            var isTls = read.Buffer.FirstSpan[0] == TlsHandshake;
            input.AdvanceTo(read.Buffer.Start);
            await (isTls ? tls : http!)(connection).ConfigureAwait(false);
        });
        listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate });
        listen.Use(next => http = next);
    }

    public async ValueTask DisposeAsync()
    {
        // Kestrel waits for open websockets; what is still open after a moment is cut.
        await _application.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }
}
