namespace Fumidai.SessionManager;

/// <summary>The two loops that every kind of traffic has, and what they do when the session is over.</summary>
internal interface ITrafficLoops
{
    /// <summary>Reads the channel until it is over.</summary>
    Task ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Sends what the streams have to send.</summary>
    Task SendAsync(CancellationToken cancellationToken);

    /// <summary>The session is over: take in what was still received without waiting for readers any more. The channel's own window bounds it.</summary>
    void StopWaitingForReaders();

    /// <summary>Ends every stream; what they received stays readable.</summary>
    void EndStreams(SessionEndedException reason);
}

/// <summary>Runs traffic to its end.</summary>
internal static class TrafficLoops
{
    /// <summary>Runs both loops until the channel is over, one of them fails, or it is cancelled; ends the streams and waits for both loops. Never faults.</summary>
    public static async Task<SessionEnd> RunAsync(IPayloadChannel channel, ITrafficLoops loops, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var onCancel = cancellationToken.UnsafeRegister(static task => ((TaskCompletionSource)task!).TrySetCanceled(), cancelled);
        var receiving = loops.ReceiveAsync(stop.Token);
        var sending = loops.SendAsync(stop.Token);
        var first = await Task.WhenAny(receiving, sending, channel.Ended, cancelled.Task).ConfigureAwait(false);
        var end = await HowAsync(first, channel, cancellationToken).ConfigureAwait(false);

        if (end.Kind != SessionEndKind.Failed && channel.Ended.IsCompleted && !cancellationToken.IsCancellationRequested)
        {
            loops.StopWaitingForReaders();
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        loops.EndStreams(new SessionEndedException(end));
        await stop.CancelAsync().ConfigureAwait(false);
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return end;
    }

    private static async Task<SessionEnd> HowAsync(Task first, IPayloadChannel channel, CancellationToken cancellationToken)
    {
        switch (first.Exception?.InnerException)
        {
            case MuxProtocolException wrong:
                return new SessionEnd(SessionEndKind.Failed, wrong.Message);
            case SessionEndedException ended:
                return ended.End;
            case { } failure:
                return new SessionEnd(SessionEndKind.Failed, failure.Message);
            default:
                return first.IsCanceled && cancellationToken.IsCancellationRequested
                    ? new SessionEnd(SessionEndKind.Local, "")
                    : await channel.Ended.ConfigureAwait(false);
        }
    }
}
