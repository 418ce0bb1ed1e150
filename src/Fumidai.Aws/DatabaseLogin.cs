namespace Fumidai.Aws;

/// <summary>A database login as found in a secret.</summary>
/// <param name="Username">User name.</param>
/// <param name="Password">Password; cannot print itself.</param>
public sealed record DatabaseLogin(string Username, Secret Password);
