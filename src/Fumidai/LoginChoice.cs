using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>A login for a target.</summary>
/// <param name="User">User name; null: the client decides.</param>
/// <param name="Password">Password; null: the client finds it where the user keeps it, or asks.</param>
/// <param name="Source">Where it comes from, for people.</param>
internal sealed record FoundLogin(string? User, Secret? Password, string Source);

/// <summary>
/// Which login to take: the secret that was named; the user's own, when a user was named or there is no managed secret; else the managed
/// master secret. A password is read when it is used and never kept: a rotation would make it stale.
/// </summary>
internal sealed class LoginChoice(Target target, TunnelSettings settings, int localPort, Func<string, string?> environment)
{
    internal async Task<FoundLogin> FindAsync(
        Func<string, CancellationToken, Task<DatabaseLogin>> read, Func<string, CancellationToken, Task<Secret>> sign, CancellationToken cancellationToken)
    {
        switch (Choose())
        {
            case LoginPlan.FromSecret secret:
                return await FromSecretAsync(secret.Id, secret.User, read, cancellationToken).ConfigureAwait(false);
            case LoginPlan.Token token:
                var user = token.User ?? target.Database?.MasterUsername ?? throw new FumidaiException(
                    Reason.Usage, $"no user to sign in to {target.Name} as", "an IAM token is for one user", "Name one with --user");
                return new FoundLogin(user, await sign(user, cancellationToken).ConfigureAwait(false), "IAM token");
            case LoginPlan.Own own:
                return own.Login;
            default:
                throw new InvalidOperationException("a plan without a way");
        }
    }

    /// <summary>Decides; asks nobody.</summary>
    /// <exception cref="FumidaiException">SignIn or Usage: what <c>--auth</c> demands is not to be had.</exception>
    internal LoginPlan Choose()
    {
        var managed = target.Database?.MasterSecretArn;
        var ownUser = Get("PGUSER");
        if (settings.Auth == "iam")
        {
            return target.Database is { IsIamEnabled: false } closed
                ? throw new FumidaiException(Reason.SignIn, $"cannot sign in to {target.Name} with IAM", "IAM database authentication is not enabled on it", SignInVerdict.EnableIam(closed))
                : new LoginPlan.Token(settings.User ?? ownUser);
        }
        if (settings.Secret is { } named)
            return new LoginPlan.FromSecret(named, settings.User);
        if (settings.Auth == "secret")
        {
            return new LoginPlan.FromSecret(
                managed ?? throw new FumidaiException(Reason.Usage, $"no secret to sign in to {target.Name} with", "RDS keeps none for it", "Name one with --secret"), settings.User);
        }
        // A name on the command line, or a whole login in the environment, is the user's wish; a lone PGPASSWORD is not, where RDS keeps the login.
        if (settings.User is not null || managed is null || (ownUser is not null && Get("PGPASSWORD") is not null))
        {
            var user = settings.User ?? ownUser ?? target.Database?.MasterUsername;
            if (Own(user) is { } own)
                return new LoginPlan.Own(own);
            if (managed is null || (user is not null && user != target.Database!.MasterUsername))
            {
                // Where the user has no password, the cluster may need none.
                return target.Database is { IsIamEnabled: true } && user is not null
                    ? new LoginPlan.Token(user)
                    : new LoginPlan.Own(new FoundLogin(user, null, "the client asks"));
            }
        }
        return new LoginPlan.FromSecret(managed!, settings.User);
    }

    private static async Task<FoundLogin> FromSecretAsync(string id, string? user, Func<string, CancellationToken, Task<DatabaseLogin>> read, CancellationToken cancellationToken)
    {
        var login = await read(id, cancellationToken).ConfigureAwait(false);
        return new FoundLogin(user ?? login.Username, login.Password, $"secret {ShortName(id)}");
    }

    private FoundLogin? Own(string? user)
    {
        if (Get("PGPASSWORD") is not null)
            return new FoundLogin(user, null, "environment");
        if (Passfile.Locate(environment) is not { } file || Passfile.Read(file) is not { } passfile)
            return null;
        var database = settings.Database ?? Get("PGDATABASE") ?? target.Database?.DatabaseName ?? (target.Database is null ? user : "postgres");
        // libpq looks with the local port. A line written for the real one would not be found there, so it is handed over.
        if (passfile.Find(target.Address.Host, localPort, database, user) is not null)
            return new FoundLogin(user, null, $"passfile {file}");
        return passfile.Find(target.Address.Host, target.Address.Port, database, user) is { } password
            ? new FoundLogin(user, password, $"passfile {file}")
            : null;
    }

    /// <summary>The same with the password that the client would have found by itself, for whoever signs in for it.</summary>
    internal FoundLogin WithPassword(FoundLogin login)
    {
        if (login.Password is not null)
            return login;
        if (Get("PGPASSWORD") is { } known)
            return login with { Password = new Secret(known) };
        var database = settings.Database ?? Get("PGDATABASE") ?? target.Database?.DatabaseName;
        return Passfile.Locate(environment) is { } file && Passfile.Read(file) is { } passfile
            ? login with { Password = passfile.Find(target.Address.Host, localPort, database, login.User) ?? passfile.Find(target.Address.Host, target.Address.Port, database, login.User) }
            : login;
    }

    private string? Get(string name) => environment(name) is { Length: > 0 } value ? value : null;

    /// <summary>The name inside an ARN without the six characters that Secrets Manager appends; as it is, when it is no ARN.</summary>
    internal static string ShortName(string id)
    {
        if (!id.StartsWith("arn:", StringComparison.Ordinal))
            return id;
        var name = id[(id.LastIndexOf(':') + 1)..];
        return name.Length > 7 && name[^7] == '-' ? name[..^7] : name;
    }
}

/// <summary>libpq's password file: <c>host:port:database:user:password</c>, <c>*</c> for any, <c>\</c> before <c>:</c> and <c>\</c>.</summary>
internal sealed class Passfile
{
    private readonly List<string[]> _lines = [];

    /// <summary>$PGPASSFILE, else the user's.</summary>
    internal static string? Locate(Func<string, string?> environment)
    {
        if (environment("PGPASSFILE") is { Length: > 0 } named)
            return named;
        if (OperatingSystem.IsWindows())
            return environment("APPDATA") is { Length: > 0 } data ? Path.Combine(data, "postgresql", "pgpass.conf") : null;
        return UserFolders.Home(environment) is { } home ? Path.Combine(home, ".pgpass") : null;
    }

    /// <summary>Null where libpq would not read it either: not there, or readable by others.</summary>
    internal static Passfile? Read(string path)
    {
        try
        {
            if (!File.Exists(path))
                return null;
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute)) != 0)
                return null;
            return Parse(File.ReadLines(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static Passfile Parse(IEnumerable<string> lines)
    {
        var passfile = new Passfile();
        foreach (var line in lines)
        {
            if (line.Length > 0 && !line.StartsWith('#') && Fields(line) is { } fields)
                passfile._lines.Add(fields);
        }
        return passfile;
    }

    /// <summary>The password of the first line that fits, as libpq takes it.</summary>
    internal Secret? Find(string host, int port, string? database, string? user)
    {
        var wanted = new[] { host, port.ToString(CultureInfo.InvariantCulture), database, user };
        foreach (var line in _lines)
        {
            if (wanted.Zip(line).All(pair => pair.Second == "*" || (pair.First is { } value && Unescape(pair.Second) == value)))
                return new Secret(Unescape(line[4]));
        }
        return null;
    }

    /// <summary>Splits at colons that no backslash protects; escapes stay, so that a lone <c>*</c> and <c>\*</c> differ.</summary>
    private static string[]? Fields(string line)
    {
        var fields = new List<string>(5);
        var start = 0;
        for (var i = 0; i < line.Length && fields.Count < 4; i++)
        {
            if (line[i] == '\\')
                i++;
            else if (line[i] == ':')
            {
                fields.Add(line[start..i]);
                start = i + 1;
            }
        }
        if (fields.Count < 4)
            return null;
        // The password too ends at an unprotected colon: that is how an unescaped IAM token gets cut.
        var end = start;
        while (end < line.Length && line[end] != ':')
            end += line[end] == '\\' ? 2 : 1;
        fields.Add(line[start..Math.Min(end, line.Length)]);
        return [.. fields];
    }

    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
            return field;
        var text = new System.Text.StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 1 < field.Length)
                i++;
            text.Append(field[i]);
        }
        return text.ToString();
    }
}
