namespace Fumidai.Stacks;

/// <summary>Which bastions a stack has.</summary>
public enum StackPattern
{
    /// <summary>One without any inbound rule, for Session Manager.</summary>
    Private,
    /// <summary>One for SSH from the caller's address.</summary>
    Public,
    /// <summary>A private one, reached by SSH through an EC2 Instance Connect Endpoint, which costs nothing by the hour.</summary>
    Eice,
    /// <summary>Both.</summary>
    Both,
}
