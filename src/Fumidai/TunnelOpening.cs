using Fumidai.Aws;

namespace Fumidai;

/// <content>The short way in for programs.</content>
public sealed partial class Tunnel
{
    /// <summary>The access that was opened for this tunnel alone and goes with it; null: the caller's.</summary>
    private AwsAccess? _ownAccess;

    /// <summary>
    /// Finds the target and opens a tunnel to it, as <c>fumidai tunnel</c> does: when the task completes, the far end has answered and clients
    /// may connect to <see cref="Local"/>.
    /// </summary>
    /// <param name="target"><c>cluster/ID</c>, <c>instance/ID</c>, <c>host/NAME:PORT</c>, or a name of fumidai.yaml; null: the only one there is.</param>
    /// <param name="options">What differs from the environment and fumidai.yaml; null: nothing.</param>
    /// <param name="cancellationToken">Gives up; nothing is left behind.</param>
    /// <exception cref="FumidaiException">With the reason and the next step.</exception>
    public static async Task<Tunnel> OpenAsync(string? target = null, TunnelOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new TunnelOptions();
        AwsAccess? access = null;
        try
        {
            var settings = Fumidai.Settings.Load(options.CommandLine, Environment.CurrentDirectory, Environment.GetEnvironmentVariable);
            access = AwsAccess.Open(settings.Aws, options.Time);
            var request = new TunnelRequest
            {
                Target = await TargetCatalog.FindAsync(access, settings, target, cancellationToken).ConfigureAwait(false),
                Settings = settings,
                Access = access,
                Events = options.Events,
                LoggerFactory = options.LoggerFactory,
                Time = options.Time,
            };
            var tunnel = await OpenAsync(request, cancellationToken).ConfigureAwait(false);
            tunnel._ownAccess = access;
            access = null;
            return tunnel;
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot open a tunnel to {target ?? "the only database there is"}");
        }
        finally
        {
            access?.Dispose();
        }
    }

    /// <summary>
    /// Reads the login for the target's database as it is now: its secret, a fresh token, or what the user supplies. Ask again for each new
    /// connection to the database, because secrets rotate and tokens end.
    /// </summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FumidaiException">SignIn, AwsAccess or NotFound with the next step.</exception>
    public Task<ClientEnvironment> SignInAsync(CancellationToken cancellationToken = default) =>
        SignIn.PrepareAsync(_request, Local, _request.Settings.Environment, cancellationToken);
}
