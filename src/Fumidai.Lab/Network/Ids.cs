using System.Security.Cryptography;

namespace Fumidai.Lab;

/// <summary>Identifiers in AWS's shapes.</summary>
internal static class Ids
{
    /// <summary><c>PREFIX-</c> and 17 hexadecimal digits, the first 0, as EC2 makes them.</summary>
    public static string Ec2(string prefix) => $"{prefix}-0{RandomNumberGenerator.GetHexString(16, lowercase: true)}";

    /// <summary>IAM's unique ids: <c>AIDA</c>, <c>AROA</c>, <c>AIPA</c> and 17 characters.</summary>
    public static string Iam(string prefix) => prefix + RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17);

    /// <summary>RDS resource ids: <c>cluster-</c>, <c>db-</c> and 26 characters.</summary>
    public static string RdsResource(string prefix) => $"{prefix}-{RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 26)}";

    /// <summary>The part of RDS endpoints that is the account's in the region: 12 characters.</summary>
    public static string RdsZone() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 12);

    /// <summary>The six characters at the end of a secret's ARN.</summary>
    public static string SecretSuffix() => RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 6);

    /// <summary>A password as RDS makes them: punctuation included, but none of <c>/ " @</c> and space, which RDS forbids in master passwords.</summary>
    public static string Password() =>
        RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'()*+,-.:;<=>?[\\]^_`{|}~", 32);
}
