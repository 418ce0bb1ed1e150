using System.Net;
using Fumidai.SessionManager;

namespace Fumidai.Aws;

// Split into one file a question by its owner; here only so that callers compile.

/// <summary>Do security groups let a source in?</summary>
public static class ReadSecurityGroups
{
    /// <summary>True when a rule of one of the groups admits TCP to port from the source address or from one of the source's groups.</summary>
    public static Task<bool> AdmitAsync(AwsAccess access, IReadOnlyList<string> groupIds, int port, IPAddress? source, IReadOnlyList<string> sourceGroupIds, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>A database login as found in a secret.</summary>
public sealed record DatabaseLogin(string Username, Secret Password);

/// <summary>What does the secret hold? GetSecretValue, AWSCURRENT (aws-facts §3.1).</summary>
public static class ReadSecret
{
    /// <summary>Reads <c>username</c> and <c>password</c>.</summary>
    /// <exception cref="AwsFailure">Not found, not allowed, or not of this shape (Refused).</exception>
    public static Task<DatabaseLogin> ReadAsync(AwsAccess access, string secretId, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>StartSession, ResumeSession, TerminateSession (protocol §1.1) and the signed websocket handshake (§1.4).</summary>
public static class SessionCalls
{
    /// <summary>Starts a session.</summary>
    public static Task<StreamTicket> StartAsync(AwsAccess access, string target, string documentName, IReadOnlyDictionary<string, string> parameters, string? reason, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The control of a running session; credentials are refreshed on use.</summary>
    public static ISessionControl Control(AwsAccess access) => throw new NotImplementedException();
}

/// <summary>SendSSHPublicKey (aws-facts §6.2): the key is good for 60 seconds of new logins.</summary>
public static class PushSshKey
{
    /// <summary>Pushes one OpenSSH public key line.</summary>
    public static Task PushAsync(AwsAccess access, string instanceId, string? availabilityZone, string osUser, string publicKey, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>What is our address, seen from outside?</summary>
public static class AskOwnAddress
{
    /// <summary>GETs the address service and reads one IP address.</summary>
    public static Task<IPAddress> AskAsync(AwsAccess access, Uri service, CancellationToken cancellationToken) => throw new NotImplementedException();
}
