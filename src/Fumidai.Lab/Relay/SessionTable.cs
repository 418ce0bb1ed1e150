using System.Security.Cryptography;

namespace Fumidai.Lab;

/// <summary>Sessions and the tokens that open their ends.</summary>
internal sealed class SessionTable(LabContext context, RelayOptions options) : IDisposable
{
    private const string Base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, RelaySession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Ticket> _tickets = new(StringComparer.Ordinal);

    private sealed record Ticket(RelaySession Session, RelayRole Role, DateTimeOffset Until);

    /// <summary>Makes a session; its id is never used twice (protocol §1.3: a file of a killed official client would be in the way).</summary>
    public RelaySession Create(Caller owner, string region, string target, FilledDocument document, string? reason)
    {
        var id = $"{owner.SessionNamePrefix}-{RandomNumberGenerator.GetString(Base36, 26)}";
        var session = new RelaySession(new(id, target, region, owner, document, reason, context.Time.GetUtcNow()), options, context.Time);
        lock (_lock)
            _sessions[id] = session;
        return session;
    }

    public RelaySession? Find(string id)
    {
        lock (_lock)
            return _sessions.GetValueOrDefault(id);
    }

    /// <summary>All of them, newest first, ended ones too.</summary>
    public IReadOnlyList<RelaySession> All
    {
        get
        {
            lock (_lock)
                return [.. _sessions.Values.OrderByDescending(session => session.Order.StartedAt)];
        }
    }

    /// <summary>A token for one end, good for one connection.</summary>
    public string Issue(RelaySession session, RelayRole role)
    {
        var token = "AAEAA" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(96));
        var now = context.Time.GetUtcNow();
        lock (_lock)
        {
            foreach (var stale in _tickets.Where(pair => pair.Value.Until < now).Select(pair => pair.Key).ToArray())
                _tickets.Remove(stale);
            _tickets[token] = new(session, role, now + options.TokenLife);
        }
        return token;
    }

    /// <summary>Turns a token into its session and role, once; null: unknown, used, too old, or of another session.</summary>
    /// <remarks>That a token is good for one connection is a third party's observation (protocol §13.7).</remarks>
    public RelayRole? Claim(RelaySession session, string token)
    {
        lock (_lock)
        {
            if (!_tickets.TryGetValue(token, out var ticket) || ticket.Session != session)
                return null;
            _tickets.Remove(token);
            return ticket.Until < context.Time.GetUtcNow() ? null : ticket.Role;
        }
    }

    /// <summary>A fresh StreamUrl of the session. Its cell-number holds raw <c>+</c>, <c>/</c> and <c>=</c>, as the service's does.</summary>
    public string StreamUrl(RelaySession session)
    {
        session.CellNumber = "AAEAA+/" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(31));
        return $"{context.StreamAddress}/v1/data-channel/{session.Order.Id}?role=publish_subscribe&cell-number={session.CellNumber}";
    }

    public void Dispose()
    {
        foreach (var session in All)
            session.Dispose();
    }
}
