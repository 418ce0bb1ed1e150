namespace Fumidai.Lab;

/// <summary>How a lab is run.</summary>
public sealed record LabOptions
{
    /// <summary>Port of the API on 127.0.0.1; 0: any free one.</summary>
    public int Port { get; init; }
    /// <summary>Where the lab keeps its CA certificate, server data and state; null: a fresh temporary directory, removed at the end (even after SIGKILL).</summary>
    public string? Directory { get; init; }
    /// <summary>Accept data-channel handshakes without a signature, for older clients.</summary>
    public bool AcceptUnsignedChannel { get; init; }
    /// <summary>Start from nothing instead of the mission's architecture.</summary>
    public bool Empty { get; init; }
    /// <summary>Writes one line per call answered; null: silent.</summary>
    public Action<string>? OnCall { get; init; }
    /// <summary>What the message gateway allows. Default: everything.</summary>
    public ServiceModel Service { get; init; } = ServiceModel.Open;
    /// <summary>How fast the agents send. Default: as fast as they can.</summary>
    public AgentPace Pace { get; init; } = AgentPace.Open;
    /// <summary>The clock the lab starts with; its control call moves it.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
