namespace Fumidai.Postgres;

/// <summary>One message of a client that is signed in.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Body">What follows the length.</param>
public readonly record struct ClientMessage(char Type, ReadOnlyMemory<byte> Body);
