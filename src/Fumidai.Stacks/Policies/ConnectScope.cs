namespace Fumidai.Stacks;

/// <summary>What exactly a person may connect to, and by which ways; what is null is not granted.</summary>
public sealed record ConnectScope
{
    /// <summary>Region and account.</summary>
    public required AccountScope Where { get; init; }
    /// <summary>The bastion for Session Manager.</summary>
    public string? SessionBastionId { get; init; }
    /// <summary>The session document.</summary>
    public string Document { get; init; } = "AWS-StartPortForwardingSessionToRemoteHost";
    /// <summary>The bastion for SSH by EC2 Instance Connect.</summary>
    public string? SshBastionId { get; init; }
    /// <summary>The login on it.</summary>
    public string SshUser { get; init; } = "ec2-user";
    /// <summary>The secret with the password.</summary>
    public string? SecretArn { get; init; }
    /// <summary>The customer's key the secret is encrypted with; null: AWS's own, which needs no permission.</summary>
    public string? SecretKeyArn { get; init; }
    /// <summary>The database's resource id (<c>cluster-…</c>, <c>db-…</c>), for signing in with IAM.</summary>
    public string? DatabaseResourceId { get; init; }
    /// <summary>The database users that may sign in with IAM.</summary>
    public IReadOnlyList<string> DatabaseUsers { get; init; } = [];
}
