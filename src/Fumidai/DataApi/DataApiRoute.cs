namespace Fumidai;

/// <summary>The Data API in the place of a route: it carries statements, never connections.</summary>
internal sealed class DataApiRoute : IRoute
{
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "data-api";

    /// <summary>There is none; what stands in its place is the service.</summary>
    public string Bastion => "rds-data";

    public Task<Exception?> Ended => _ended.Task;

    public ValueTask<RouteChannel> OpenAsync(HostPort destination, CancellationToken cancellationToken) =>
        throw new FumidaiException(Reason.NoRoute, "the Data API carries no connections");

    public ValueTask DisposeAsync()
    {
        _ended.TrySetResult(null);
        return ValueTask.CompletedTask;
    }
}
