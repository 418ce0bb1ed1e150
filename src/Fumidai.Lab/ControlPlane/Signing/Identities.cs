using System.Security.Cryptography;

namespace Fumidai.Lab;

/// <summary>Temporary credentials with their end.</summary>
internal sealed record SessionKeys(SigningKeys Keys, DateTimeOffset Expires);

/// <summary>
/// Whose keys are whose: the users' access keys (kept in the model) and the sessions issued by STS or to instances (kept here; they die with the lab).
/// </summary>
internal sealed class Identities(LabModel model, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    /// <summary>What an access key opens; null: nobody's.</summary>
    internal sealed record Known(string SecretAccessKey, string? SessionToken, DateTimeOffset? Expires, Caller Caller);

    private sealed record Session(string SecretAccessKey, string SessionToken, DateTimeOffset Expires, Caller Caller);

    /// <summary>Looks up an access key id.</summary>
    public Known? Find(string accessKeyId)
    {
        lock (_gate)
        {
            if (_sessions.TryGetValue(accessKeyId, out var session))
                return new(session.SecretAccessKey, session.SessionToken, session.Expires, session.Caller);
        }
        return model.Read(m => m.Users.Values.FirstOrDefault(u => u.AccessKeyId == accessKeyId) is { } user
            ? new Known(user.SecretAccessKey, null, null, CallerOf(user))
            : null);
    }

    /// <summary>A user as caller.</summary>
    public static Caller CallerOf(User user) => new(user.Account, $"arn:aws:iam::{user.Account}:user/{user.Name}", user.Id, user.Name);

    /// <summary>A role's session as caller.</summary>
    public static Caller CallerOf(Role role, string sessionName) =>
        new(role.Account, $"arn:aws:sts::{role.Account}:assumed-role/{role.Name}/{sessionName}", $"{role.Id}:{sessionName}", sessionName);

    /// <summary>Credentials for a session of this caller, as AssumeRole, GetSessionToken and an instance's metadata service give them.</summary>
    public SessionKeys Issue(Caller caller, TimeSpan lifetime)
    {
        var id = "ASIA" + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        var session = new Session(RandomNumberGenerator.GetString(alphabet, 40), RandomNumberGenerator.GetString(alphabet, 240) + "==", time.GetUtcNow() + lifetime, caller);
        lock (_gate)
            _sessions[id] = session;
        return new SessionKeys(new SigningKeys(id, session.SecretAccessKey, session.SessionToken), session.Expires);
    }
}
