using System.IO.Pipelines;
using Fumidai.SessionManager;

namespace Fumidai;

/// <summary>
/// One connection over Session Manager. Its opening proves nothing: the protocol has no word for "connected", so a refusal shows later as the
/// channel's end, and a dial that hangs only as silence, which is reported once.
/// </summary>
internal sealed class SsmChannel : RouteChannel, IConfirmedLater
{
    /// <summary>A refusal comes back within a round trip; a far end that says nothing for so long and was not refused is taken as reached.</summary>
    internal static readonly TimeSpan RefusalTime = TimeSpan.FromSeconds(3);

    private readonly PortStream _stream;
    private readonly HostPort _destination;
    private readonly string _bastion;
    private readonly TimeProvider _time;
    private readonly ITimer _silence;
    private bool _answered;

    internal SsmChannel(PortStream stream, HostPort destination, string bastion, Action dialHangs, Action answered, TimeProvider time)
    {
        _stream = stream;
        _destination = destination;
        _bastion = bastion;
        _time = time;
        _silence = time.CreateTimer(static state => ((Action)state!)(), dialHangs, SsmRoute.DialLimit, Timeout.InfiniteTimeSpan);
        Input = new WatchedReader(stream.Input, OnBytes, Explain);
        Ended = EndAsync();

        void OnBytes(long count)
        {
            if (_answered)
                return;
            _answered = true;
            _silence.Dispose();
            answered();
        }
    }

    public override PipeReader Input { get; }

    public override PipeWriter Output => _stream.Output;

    public override Task<Exception?> Ended { get; }

    public override void Abort(Exception reason) => _stream.Abort(reason);

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await Ended.ConfigureAwait(false);
    }

    public async Task ConfirmAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(RefusalTime, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var result = await Input.ReadAsync(both.Token).ConfigureAwait(false);
            Input.AdvanceTo(result.Buffer.Start);
            if (!result.IsCompleted)
                return; // it spoke first
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return;
        }
        await Output.CompleteAsync().ConfigureAwait(false);
        throw await Ended.WaitAsync(cancellationToken).ConfigureAwait(false)
            ?? new FumidaiException(Reason.NoRoute, $"{_destination} was not reached through {_bastion}", "the far end closed the connection at once", retry: true);
    }

    private async Task<Exception?> EndAsync()
    {
        var reason = await _stream.Ended.ConfigureAwait(false);
        await _silence.DisposeAsync().ConfigureAwait(false);
        return reason is null or OperationCanceledException ? reason : Explain(reason);
    }

    private Exception Explain(Exception e) => e switch
    {
        FumidaiException => e,
        ConnectToPortException => new FumidaiException(
            Reason.NoRoute, $"{_bastion} could not connect to {_destination}", "the connection was refused, or did not come about",
            "Is the database running, does it listen on this port, and do its security groups admit the bastion?", retry: true, e),
        _ => StartPortSession.Explain(e, $"the connection to {_destination} through {_bastion} was lost"),
    };
}
