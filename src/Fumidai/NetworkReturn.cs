using System.Net.NetworkInformation;

namespace Fumidai;

/// <summary>
/// Tells that the network may be back: an address of this machine changed, or the machine woke (its clock ran on while the timers stood still).
/// </summary>
internal sealed class NetworkReturn(TimeProvider time)
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SleptAtLeast = TimeSpan.FromSeconds(5);

    /// <summary>Completes at the next such moment, or when cancelled.</summary>
    internal async Task NextAsync(CancellationToken cancellationToken)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Changed(object? sender, EventArgs e) => changed.TrySetResult();
        NetworkChange.NetworkAddressChanged += Changed;
        try
        {
            while (!changed.Task.IsCompleted && !cancellationToken.IsCancellationRequested)
            {
                var before = time.GetUtcNow();
                await changed.Task.WaitAsync(LookPeriod, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (time.GetUtcNow() - before > LookPeriod + SleptAtLeast)
                    return;
            }
        }
        finally
        {
            NetworkChange.NetworkAddressChanged -= Changed;
        }
    }
}
