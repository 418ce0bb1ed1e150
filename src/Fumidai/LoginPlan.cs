namespace Fumidai;

/// <summary>Which login is to be taken, before anything is read.</summary>
internal abstract record LoginPlan
{
    /// <summary>A secret's.</summary>
    /// <param name="Id">Name or ARN.</param>
    /// <param name="User">Instead of the secret's user; null: the secret's.</param>
    internal sealed record FromSecret(string Id, string? User) : LoginPlan;

    /// <summary>A token signed for a user; null: whom the client names.</summary>
    internal sealed record Token(string? User) : LoginPlan;

    /// <summary>What the user already has.</summary>
    internal sealed record Own(FoundLogin Login) : LoginPlan;
}
