namespace Fumidai.Lab;

/// <summary>
/// A part that <see cref="LabHost"/> starts around the API: the relay with its agents, the real servers. It is made before the port is open
/// (so that its services and routes can be registered), started after, and disposed in reverse order.
/// </summary>
internal interface ILabPart : IAsyncDisposable
{
    /// <summary>Emulated services to register.</summary>
    IReadOnlyList<IAwsService> Services { get; }

    /// <summary>Paths to register.</summary>
    IReadOnlyList<ILabRoutes> Routes { get; }

    /// <summary>The machines behind the model, if this is the part that runs them.</summary>
    ILabMachines? Machines { get; }

    /// <summary>The API answers now (<see cref="LabContext.ApiAddress"/> is set), the model is seeded; databases and instances are not started yet.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Completes when the part is fit to be used: called after databases were created and running instances booted.</summary>
    Task ReadyAsync(CancellationToken cancellationToken);

    /// <summary>Lines for the foreground display: what it serves and where.</summary>
    IReadOnlyList<string> Describe();
}
