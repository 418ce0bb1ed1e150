using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fumidai.Aws;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>Proves a path by doing it: a real session or SSH connection, an answered SSLRequest through it, the secret read, TLS verified to the real name, a sign-in that is given up at once.</summary>
public static class Proof
{
    private const int Protocol3 = 3 << 16;

    /// <summary>Proves a route in which nothing was found wrong, or nothing certain; the result has every hop proven, or the finding that doing it showed.</summary>
    /// <param name="diagnosis">What reading showed.</param>
    /// <param name="request">What to open; its route, bastion and port are replaced by the diagnosis's and a free port.</param>
    /// <param name="environment">Where a login may be given.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<RouteDiagnosis> RunAsync(RouteDiagnosis diagnosis, TunnelRequest request, Func<string, string?> environment, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(diagnosis);
        ArgumentNullException.ThrowIfNull(request);
        if (!diagnosis.IsDoubtful)
            return await TryAsync(diagnosis, request, environment, cancellationToken).ConfigureAwait(false);
        var tried = await TryAsync(diagnosis with { Findings = [] }, request, environment, cancellationToken).ConfigureAwait(false);
        // What doing it disproves is worth a note; what it confirms has the better words.
        return tried.Works ? tried with { Notes = [.. diagnosis.Findings.Select(f => f with { IsNote = true, What = $"it works, though {f.What}" }), .. tried.Notes] } : diagnosis;
    }

    private static async Task<RouteDiagnosis> TryAsync(RouteDiagnosis diagnosis, TunnelRequest request, Func<string, string?> environment, CancellationToken cancellationToken)
    {
        var settings = request.Settings with { CommandLine = request.Settings.CommandLine with { Via = diagnosis.Route, Bastion = diagnosis.Bastion, Port = 0 } };
        request = request with { Settings = settings };
        try
        {
            var tunnel = await Tunnel.OpenAsync(request, cancellationToken).ConfigureAwait(false);
            await using (tunnel.ConfigureAwait(false))
            {
                if (!request.Target.IsPostgres)
                    return Proven(diagnosis, Hop.Database);
                return await SignInAsync(diagnosis, request, tunnel, environment, cancellationToken).ConfigureAwait(false) is { } wrong
                    ? Broken(diagnosis, wrong)
                    : Proven(diagnosis, Hop.SignIn);
            }
        }
        catch (FumidaiException e)
        {
            return Broken(diagnosis, OfRoute(e, diagnosis));
        }
    }

    private static async Task<Finding?> SignInAsync(RouteDiagnosis diagnosis, TunnelRequest request, Tunnel tunnel, Func<string, string?> environment, CancellationToken cancellationToken)
    {
        var settings = TunnelSettings.Of(request.Settings, request.Target);
        FoundLogin login;
        try
        {
            login = await new LoginChoice(request.Target, settings, tunnel.Local.Port, environment).FindAsync((id, stop) => ReadSecret.ReadAsync(request.Access, id, stop), (user, _) => SignIn.SignAsync(request, user), cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure f)
        {
            return new Finding("secret-unreadable", Hop.SignIn, "the secret with the login cannot be read", $"{f.Operation} says {f.Code ?? "nothing"}: {f.Message}",
                Fixes.Sentence(f.Kind == AwsFailureKind.Permission ? "fumidai policy --for connect prints a policy that allows it (a customer's KMS key needs kms:Decrypt too)" : "name another with --secret, or a login with --user"), f.Kind == AwsFailureKind.Permission ? Reason.AwsAccess : Reason.SignIn);
        }
        catch (FumidaiException e)
        {
            return new Finding("login-missing", Hop.SignIn, "there is no login to the database", e.Message, Fixes.Sentence("name a secret with --secret, or set PGUSER and PGPASSWORD"), Reason.SignIn);
        }
        if (login.User is null || login.Password is null)
            return null;
        var file = settings.CaFile is { } own ? RootsFile.Checked(own) : RootsFile.Write(request.Access.HasCustomEndpoint ? request.Access.RootsFile : null, environment);
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(file);
        var database = settings.Database ?? request.Target.Database?.DatabaseName ?? "postgres";
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(tunnel.Local, cancellationToken).ConfigureAwait(false);
            using var tls = await ServerTls.OpenAsync(socket.GetStream(), new ServerIdentity(request.Target.Address.Host, roots), cancellationToken).ConfigureAwait(false);
            var startup = StartupMessage.Of(Protocol3, ("user", login.User), ("database", database), ("application_name", "fumidai doctor"));
            var session = await ServerSignIn.RunAsync(tls, startup, Encoding.UTF8.GetBytes(login.Password.Reveal()), allowMd5: false, cancellationToken).ConfigureAwait(false);
            await session.GreetingAsync(key => key, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (ServerTlsException e)
        {
            return new Finding("tls-not-verified", Hop.SignIn, "the database's certificate does not prove its name", e.Message, Fixes.Sentence("name the roots that vouch for it with --ca-file"), Reason.SignIn);
        }
        catch (ServerRefusedException e)
        {
            return Refused(e.Error, login, database);
        }
        catch (Exception e) when (e is IOException or SocketException or PostgresProtocolException)
        {
            return new Finding("sign-in-broken", Hop.SignIn, "the sign-in broke off", e.Message, Fixes.Sentence("try again; fumidai doctor --verbose shows more"), Reason.SignIn);
        }
        finally
        {
            foreach (var root in roots)
                root.Dispose();
        }
    }

    private static Finding Refused(ErrorResponse error, FoundLogin login, string database) => error.Code switch
    {
        "28P01" or "28000" => new("login-refused", Hop.SignIn, "the database refuses the login", $"{error} (login from {login.Source})", Fixes.Sentence("if the secret was rotated a moment ago, try again; else give the right one with --secret"), Reason.SignIn),
        "3D000" => new("database-name", Hop.SignIn, "there is no such database", $"{error}", Fixes.Sentence("name one with --database; postgres is always there"), Reason.SignIn),
        "53300" => new("too-many-connections", Hop.SignIn, "the database has no connection left", $"{error}", Fixes.Sentence("close some, or raise the cluster's most capacity"), Reason.SignIn),
        _ => new("login-refused", Hop.SignIn, "the database refuses the login", $"{error} ({database})", Fixes.Sentence("see the database's log"), Reason.SignIn),
    };

    private static Finding OfRoute(FumidaiException e, RouteDiagnosis diagnosis)
    {
        var hop = e.Reason == Reason.AwsAccess ? Hop.Permission : e.What.Contains("does not answer", StringComparison.Ordinal) ? Hop.Network : Hop.Way;
        return new Finding("route-fails", hop, $"the {diagnosis.Route} route does not work though nothing read speaks against it", e.Cause is null ? e.What : $"{e.What}: {e.Cause}", Fixes.Sentence(e.Next ?? "try again with --verbose"), e.Reason);
    }

    private static RouteDiagnosis Proven(RouteDiagnosis diagnosis, Hop upTo) =>
        diagnosis with { Hops = [.. diagnosis.Hops.Select(h => h.Hop <= upTo ? (h.Hop, h.Label, HopState.Proven) : h)] };

    private static RouteDiagnosis Broken(RouteDiagnosis diagnosis, Finding finding) => diagnosis with
    {
        Findings = [finding],
        Hops = [.. diagnosis.Hops.Select(h => (h.Hop, h.Label, h.Hop < finding.Hop ? HopState.Proven : h.Hop == finding.Hop ? HopState.Broken : HopState.Unreached))],
    };
}
