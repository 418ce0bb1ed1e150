using System.IO.Pipelines;

namespace Fumidai.SessionManager;

/// <summary>One connection through a port session: an smux stream, or the one connection of basic mode.</summary>
public abstract class PortStream : IDuplexPipe, IAsyncDisposable
{
    /// <summary>Bytes from the far end; ends with the peer's FIN, throws when the stream was reset.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>Bytes to the far end. Completing it is a half-close, which Session Manager lacks: our FIN is held back until the peer's FIN or a limit (protocol §5.4).</summary>
    public abstract PipeWriter Output { get; }

    /// <summary>Completes when both directions are over: null for an orderly end, else the first reason (<see cref="ConnectToPortException"/> when the far end refused).</summary>
    public abstract Task<Exception?> Ended { get; }

    /// <summary>Ends both directions now.</summary>
    public abstract void Abort(Exception reason);

    /// <summary>Ends the stream if need be and waits for it.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The agent could not connect to the destination (Flag ConnectToPortError, protocol §5.4). The session lives on.</summary>
public sealed class ConnectToPortException() : Exception("the bastion could not connect to the destination");
