namespace Fumidai.Cli;

/// <summary>What may follow <c>--</c>.</summary>
internal enum Tail
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>Arguments for a client, or nothing.</summary>
    Arguments,
    /// <summary>A command, or nothing.</summary>
    Command,
    /// <summary>A command.</summary>
    RequiredCommand,
}
