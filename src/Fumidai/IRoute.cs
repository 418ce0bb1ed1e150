namespace Fumidai;

/// <summary>A way to reach addresses inside the VPC from here.</summary>
public interface IRoute : IAsyncDisposable
{
    /// <summary>How the route is called on screen: <c>ssm</c>, <c>ssh</c>.</summary>
    string Name { get; }

    /// <summary>The bastion that traffic goes through, for instance <c>i-0abc…</c>.</summary>
    string Bastion { get; }

    /// <summary>Opens one channel: one TCP connection from the bastion to destination, resolved there.</summary>
    /// <param name="destination">Where to, as seen from the bastion.</param>
    /// <param name="cancellationToken">Gives up; nothing is left behind.</param>
    /// <exception cref="FumidaiException">The route is gone and could not be reopened, or the far end refused or did not answer.</exception>
    ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken);

    /// <summary>Completes when the route is lost for good and given up, or disposed (then with null).</summary>
    Task<Exception?> Ended { get; }
}
