namespace Fumidai.Stacks;

/// <summary>Where a policy holds.</summary>
/// <param name="Region">Region.</param>
/// <param name="Account">Account number.</param>
public sealed record AccountScope(string Region, string Account)
{
    /// <summary>First part of ARNs: <c>aws</c>, <c>aws-cn</c>, <c>aws-us-gov</c> …, by the region's name.</summary>
    public string Partition => Region switch
    {
        _ when Region.StartsWith("cn-", StringComparison.Ordinal) => "aws-cn",
        _ when Region.StartsWith("us-gov-", StringComparison.Ordinal) => "aws-us-gov",
        _ when Region.StartsWith("eusc-", StringComparison.Ordinal) => "aws-eusc",
        _ => "aws",
    };

    internal string Arn(string service, string resource) => $"arn:{Partition}:{service}:{Region}:{Account}:{resource}";
}
