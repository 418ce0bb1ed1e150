namespace Fumidai.Npgsql;

/// <summary>
/// The password as it is now. Asked for by each physical connection, and looked up once for those that open together. Age is told by the wall
/// clock, because a machine that sleeps stops the other one, and a token made before the sleep must not be used after it.
/// </summary>
internal sealed class CurrentPassword(ClientEnvironment first, Func<CancellationToken, Task<ClientEnvironment>> signIn, TimeProvider time)
{
    /// <summary>How long one answer serves; short beside a token's 15 minutes and a rotation's overlap.</summary>
    private static readonly TimeSpan Shared = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private Task<ClientEnvironment> _login = Task.FromResult(first);
    private DateTimeOffset _asked = time.GetUtcNow();

    /// <summary>For <c>NpgsqlConnection.Open</c>, which cannot await. Off the caller's thread: it may own a synchronization context.</summary>
    internal string Get() => Task.Run(() => GetAsync(CancellationToken.None).AsTask()).GetAwaiter().GetResult();

    internal async ValueTask<string> GetAsync(CancellationToken cancellationToken)
    {
        Task<ClientEnvironment> login;
        lock (_lock)
        {
            var age = time.GetUtcNow() - _asked;
            if (_login.IsFaulted || _login.IsCanceled || age < TimeSpan.Zero || age > Shared)
            {
                // Not the caller's token: others may be waiting for the same answer.
                _login = signIn(CancellationToken.None);
                _asked = time.GetUtcNow();
            }
            login = _login;
        }
        return (await login.WaitAsync(cancellationToken).ConfigureAwait(false)).Password?.Reveal() ?? "";
    }
}
