using Fumidai.Aws;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>What a refused sign-in means and what to do, where more is known than the server says. The server's own words stay as they are.</summary>
internal static class SignInVerdict
{
    /// <summary>Above so many IAM sign-ins a second RDS refuses (aws-facts §3.2: fewer than 200).</summary>
    internal const int IamRate = 200;

    internal static string EnableIam(Database database) => database.Kind == DatabaseKind.Cluster
        ? $"Enable it: aws rds modify-db-cluster --db-cluster-identifier {database.Id} --enable-iam-database-authentication --apply-immediately"
        : $"Enable it: aws rds modify-db-instance --db-instance-identifier {database.Id} --enable-iam-database-authentication --apply-immediately";

    /// <summary>Null: the server's words say it all.</summary>
    /// <param name="target">Where.</param>
    /// <param name="login">How.</param>
    /// <param name="user">As whom.</param>
    /// <param name="refused">What the server said.</param>
    /// <param name="lastSecond">IAM sign-ins begun within the last second.</param>
    internal static string? Of(Target target, ServerLogin login, string user, ServerRefusedException refused, int lastSecond)
    {
        if (refused.Error.Code is not ("28P01" or "28000"))
            return null;
        if (IsUnencrypted(refused.Error))
            return "The server says the connection has no TLS, though it has: something between ends it";
        if (!login.IsToken)
            return refused.Error.Code == "28P01" ? $"{login.Source} does not hold the password of {user}; it was read afresh" : null;
        // A database that knows the user under rds_iam asks for the token in cleartext; one that asks for SCRAM wants a password.
        if (refused.Asked is SignInMethod.Scram or SignInMethod.ScramPlus or SignInMethod.Md5)
        {
            return target.Database is { IsIamEnabled: false } closed
                ? $"IAM database authentication is not enabled on {target.Name}. {EnableIam(closed)}"
                : $"The database wants a password from {user}, not a token: there, GRANT rds_iam TO {user}; and IAM authentication must be enabled";
        }
        if (lastSecond >= IamRate)
            return $"{lastSecond} IAM sign-ins within a second: RDS refuses more than {IamRate}. Use a connection pool";
        var on = target.Database is { Region: { } region, Account: { } account, ResourceId: { } id } ? $"arn:aws:rds-db:{region}:{account}:dbuser:{id}/{user}" : $"the database user {user}";
        return $"AWS did not accept the token: the identity in use needs rds-db:connect on {on}, and this machine's clock must be right";
    }

    /// <summary>
    /// Whether a pausable cluster says, in whatever words, that it is not awake yet (aws-facts §4.2): 57P03, or a pg_hba line that ends in "SSL encryption".
    /// </summary>
    internal static bool IsResuming(ErrorResponse error) =>
        error.Code == "57P03" || (error.Code == "28000" && error.Message.Contains("no pg_hba.conf entry", StringComparison.Ordinal) && error.Message.TrimEnd().EndsWith("SSL encryption", StringComparison.Ordinal));

    private static bool IsUnencrypted(ErrorResponse error) => error.Message.EndsWith("no encryption", StringComparison.Ordinal);
}
