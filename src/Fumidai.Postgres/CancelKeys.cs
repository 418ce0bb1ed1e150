using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Fumidai.Postgres;

/// <summary>
/// The cancel keys handed out to clients, and the servers' own behind them. The process id stays the server's (clients show it, compare it
/// with <c>pg_backend_pid()</c> and with notifications); the secret is ours, so keys stay apart even where one endpoint's name leads to several
/// servers, and a request that nobody here was given goes nowhere.
/// </summary>
public sealed class CancelKeys
{
    private readonly ConcurrentDictionary<CancelKey, CancelKey> _keys = new();

    /// <summary>Keys handed out now.</summary>
    public int Count => _keys.Count;

    /// <summary>A key of our own for one of the server's; of the same length, since that follows the protocol's version.</summary>
    public CancelKey Issue(CancelKey server)
    {
        while (true)
        {
            var key = new CancelKey(server.ProcessId, RandomNumberGenerator.GetBytes(Math.Max(4, server.Secret.Length)));
            if (_keys.TryAdd(key, server))
                return key;
        }
    }

    /// <summary>The server's key behind one of ours; null: never handed out, or its connection has ended.</summary>
    public CancelKey? Find(CancelKey key) => _keys.GetValueOrDefault(key);

    /// <summary>Its connection has ended.</summary>
    public void Forget(CancelKey key) => _keys.TryRemove(key, out _);
}
