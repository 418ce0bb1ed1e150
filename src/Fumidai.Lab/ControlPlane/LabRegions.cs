namespace Fumidai.Lab;

/// <summary>
/// The regions that the lab's accounts have enabled. A call signed for another is refused as AWS refuses a region that the account has not enabled
/// (aws-facts §1, last row of the error table).
/// </summary>
internal static class LabRegions
{
    /// <summary>Where the seed is.</summary>
    public const string Main = "ap-northeast-1";
    public const string Second = "us-east-1";
    public static readonly IReadOnlyList<string> All = [Main, Second];
}

/// <summary>The accounts of a lab: the seed's, and another to assume roles from or to take for the wrong one.</summary>
internal static class LabAccounts
{
    public const string Main = "111122223333";
    public const string Other = "444455556666";
}
