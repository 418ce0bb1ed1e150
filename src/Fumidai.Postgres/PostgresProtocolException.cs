namespace Fumidai.Postgres;

/// <summary>The peer sent what the PostgreSQL protocol does not allow there.</summary>
/// <param name="message">What was wrong, without any of the peer's bytes.</param>
public sealed class PostgresProtocolException(string message) : Exception(message);
