using System.IO.Pipelines;

namespace Fumidai.SessionManager;

/// <summary>A port session whose one connection is a pair of streams, stdin and stdout: the SSH document (protocol §5.3).</summary>
public static class StdioPortSession
{
    /// <summary>
    /// Copies both ways until the far end or the session ends. The end of <paramref name="input"/> is a half-close: what the far end still says is written until it
    /// falls silent. Returns how the session ended; null when only its one connection did.
    /// </summary>
    /// <exception cref="SessionEndedException">The session was over before it could begin.</exception>
    public static async Task<SessionEnd?> RunAsync(PortClient client, Stream input, Stream output, CancellationToken cancellationToken)
    {
        var stream = await client.OpenStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var up = UpAsync(input, stream.Output, stop.Token);
            try
            {
                await DownAsync(stream.Input, output, cancellationToken).ConfigureAwait(false);
            }
            catch (SessionEndedException ended)
            {
                // The agent ends an SSH session with its target: an orderly end looks like this (recording ssh_target_closes). Streams hear of
                // it a moment before the session's own Ended.
                return ended.End;
            }
            finally
            {
                await stop.CancelAsync().ConfigureAwait(false);
            }
            // A read of a terminal can't always be cancelled, and nobody should have to press a key to end a session: it is left behind.
            _ = up.ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            return client.Ended.IsCompleted ? await client.Ended.ConfigureAwait(false) : null;
        }
    }

    private static async Task UpAsync(Stream input, PipeWriter output, CancellationToken cancellationToken)
    {
        await input.CopyToAsync(output, cancellationToken).ConfigureAwait(false);
        await output.CompleteAsync().ConfigureAwait(false);
    }

    // Flushed at each read: ssh waits for every piece.
    private static async Task DownAsync(PipeReader input, Stream output, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            foreach (var part in read.Buffer) await output.WriteAsync(part, cancellationToken).ConfigureAwait(false);
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return;
        }
    }
}
