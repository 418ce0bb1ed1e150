namespace Fumidai.Cli;

/// <summary>What may follow <c>--</c>.</summary>
internal enum Tail
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>Arguments or a command, or nothing.</summary>
    Optional,
    /// <summary>A command.</summary>
    Required,
}
