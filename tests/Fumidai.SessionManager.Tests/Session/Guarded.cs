namespace Fumidai.SessionManager.Tests;

internal static class GuardedTask
{
    /// <summary>Fails after half a minute instead of hanging; the limit is no part of what is tested.</summary>
    internal static Task Guarded(this Task task) => task.WaitAsync(TimeSpan.FromSeconds(30), Xunit.TestContext.Current.CancellationToken);

    /// <inheritdoc cref="Guarded(Task)"/>
    internal static Task<T> Guarded<T>(this Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(30), Xunit.TestContext.Current.CancellationToken);
}
