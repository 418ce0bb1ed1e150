using Fumidai.Aws;

namespace Fumidai;

/// <summary>
/// A Secrets Manager secret. What was read is held in memory for a minute at most, so that a pool filling up asks once; then it is zeroed. It is never
/// written anywhere. A refused one is read afresh at once, with the stages that a rotation uses.
/// </summary>
internal sealed class SecretLogin : ServerLogin
{
    /// <summary>How long a credential is held after it was read.</summary>
    internal static readonly TimeSpan Held = TimeSpan.FromMinutes(1);

    private readonly Func<string, CancellationToken, Task<DatabaseCredential?>> _read;
    private readonly string _id;
    private readonly string? _user;
    private readonly ITimer _end;
    private readonly SemaphoreSlim _reading = new(1);
    private readonly Lock _gate = new();
    private DatabaseCredential? _held;
    private string? _lastUser;

    internal SecretLogin(TunnelRequest request, string id, string? user)
        : this((stage, stop) => ReadAsync(request.Access, id, stage, stop), id, user, request.Time)
    {
    }

    /// <param name="read">Reads a stage; null: there is no such stage.</param>
    /// <param name="id">Name or ARN, for people.</param>
    /// <param name="user">Instead of the secret's user.</param>
    /// <param name="time">The clock.</param>
    internal SecretLogin(Func<string, CancellationToken, Task<DatabaseCredential?>> read, string id, string? user, TimeProvider time)
    {
        _read = read;
        _id = id;
        _user = user;
        _end = time.CreateTimer(static login => ((SecretLogin)login!).Forget(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal override string Source => $"secret {LoginChoice.ShortName(_id)}";

    internal override string? User
    {
        get
        {
            lock (_gate)
                return _user ?? _lastUser;
        }
    }

    internal override async Task<DatabaseCredential> TakeAsync(string clientUser, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return HeldNow() ?? Hold(await CurrentAsync(cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _reading.Release();
        }
    }

    internal override async Task<DatabaseCredential?> TakeAnotherAsync(DatabaseCredential refused, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Another connection may have read a newer one meanwhile; if not, what is held is the refused one.
            if (HeldNow() is { } held)
            {
                if (!IsSame(held, refused))
                    return held;
                held.Dispose();
            }
            var current = Hold(await CurrentAsync(cancellationToken).ConfigureAwait(false));
            if (!IsSame(current, refused))
                return current;
            current.Dispose();
            foreach (var stage in ReadSecretStages.Others)
            {
                if (await _read(stage, cancellationToken).ConfigureAwait(false) is not { } other)
                    continue;
                var named = WithUser(other);
                if (!IsSame(named, refused))
                    return named;
                named.Dispose();
            }
            return null;
        }
        finally
        {
            _reading.Release();
        }
    }

    public override void Dispose()
    {
        _end.Dispose();
        Forget();
        base.Dispose();
    }

    private async Task<DatabaseCredential> CurrentAsync(CancellationToken cancellationToken) =>
        WithUser(await _read(ReadSecretStages.Current, cancellationToken).ConfigureAwait(false) ?? throw new FumidaiException(Reason.SignIn, $"the secret {_id} holds no {ReadSecretStages.Current}"));

    private DatabaseCredential WithUser(DatabaseCredential credential) => _user is null ? credential : credential with { User = _user };

    /// <summary>Keeps it, gives out a copy.</summary>
    private DatabaseCredential Hold(DatabaseCredential credential)
    {
        lock (_gate)
        {
            _held?.Dispose();
            _held = credential;
            _lastUser = credential.User;
            _end.Change(Held, Timeout.InfiniteTimeSpan);
            return credential with { Password = credential.Password.Copy() };
        }
    }

    private DatabaseCredential? HeldNow()
    {
        lock (_gate)
            return _held is { } held ? held with { Password = held.Password.Copy() } : null;
    }

    private void Forget()
    {
        lock (_gate)
        {
            _held?.Dispose();
            _held = null;
        }
    }

    private static bool IsSame(DatabaseCredential one, DatabaseCredential other) => one.User == other.User && one.Password.IsSameAs(other.Password);

    private static async Task<DatabaseCredential?> ReadAsync(AwsAccess access, string id, string stage, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadSecretStages.ReadAsync(access, id, stage, cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot read the secret {id}", Reason.SignIn, "Name another with --secret, or a login with --user");
        }
    }
}
