using Fumidai.Aws;

namespace Fumidai;

/// <summary>Where the auth proxy takes user and password from, each time a client connects.</summary>
internal abstract class ServerLogin : IDisposable
{
    /// <summary>For people: <c>secret rds!cluster-…</c>, <c>IAM token</c>, <c>environment</c>, <c>passfile</c>.</summary>
    internal abstract string Source { get; }

    /// <summary>The user that will sign in, where that does not depend on the client.</summary>
    internal abstract string? User { get; }

    internal virtual bool IsToken => false;

    /// <summary>A credential; the caller disposes it.</summary>
    /// <param name="clientUser">The user the client named.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="FumidaiException">There is none to be had.</exception>
    internal abstract Task<DatabaseCredential> TakeAsync(string clientUser, CancellationToken cancellationToken);

    /// <summary>Another one after the server refused the first (28P01); null: there is no other. The caller disposes it.</summary>
    internal virtual Task<DatabaseCredential?> TakeAnotherAsync(DatabaseCredential refused, CancellationToken cancellationToken) => Task.FromResult<DatabaseCredential?>(null);

    public virtual void Dispose()
    {
    }

    /// <summary>Of a plan. Null: only the client can know the password.</summary>
    internal static ServerLogin? Of(LoginPlan plan, TunnelRequest request) => plan switch
    {
        LoginPlan.FromSecret secret => new SecretLogin(request, secret.Id, secret.User),
        LoginPlan.Token token => new TokenLogin(request, token.User),
        LoginPlan.Own { Login: { User: { } user, Password: { } password } own } => new OwnLogin(user, password, own.Source),
        _ => null,
    };
}

/// <summary>A password the user has in passfile or environment.</summary>
internal sealed class OwnLogin(string user, Secret password, string source) : ServerLogin
{
    internal override string Source => source;

    internal override string? User => user;

    internal override Task<DatabaseCredential> TakeAsync(string clientUser, CancellationToken cancellationToken) =>
        Task.FromResult(new DatabaseCredential(user, new SecretBytes(System.Text.Encoding.UTF8.GetBytes(password.Reveal()))));
}

/// <summary>IAM tokens: signed afresh for each connection, for the database's real endpoint and port, in its own region.</summary>
internal sealed class TokenLogin(TunnelRequest request, string? user) : ServerLogin
{
    internal override string Source => "IAM token";

    internal override string? User => user;

    internal override bool IsToken => true;

    internal override async Task<DatabaseCredential> TakeAsync(string clientUser, CancellationToken cancellationToken)
    {
        var who = user ?? clientUser;
        return new DatabaseCredential(who, await SignAsync(request, who).ConfigureAwait(false));
    }

    /// <exception cref="FumidaiException">AwsAccess: no credentials.</exception>
    internal static async Task<SecretBytes> SignAsync(TunnelRequest request, string user)
    {
        var target = request.Target;
        try
        {
            return await SignToken.ForRdsAsync(request.Access, target.Address.Host, target.Address.Port, user, RegionOf(target) ?? request.Access.Region).ConfigureAwait(false);
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai($"cannot sign an IAM token for {target.Name}", Reason.AwsAccess);
        }
    }

    /// <summary>The database's own region: by its ARN, or by an RDS endpoint's name.</summary>
    private static string? RegionOf(Target target) =>
        target.Database?.Region ?? (target.Address.Host.Split('.') is [.., var region, "rds", "amazonaws", "com"] ? region : null);
}
