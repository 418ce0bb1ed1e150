namespace Fumidai.Stacks;

/// <summary>Which bastions a stack has.</summary>
public enum StackPattern
{
    /// <summary>One without any inbound rule, for Session Manager.</summary>
    Private,
    /// <summary>One for SSH from the caller's address.</summary>
    Public,
    /// <summary>Both.</summary>
    Both,
}
