using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>SendSSHPublicKey (aws-facts §6.2): the key is good for 60 seconds of new logins.</summary>
public static class PushSshKey
{
    private const string Operation = "ec2-instance-connect:SendSSHPublicKey";

    /// <summary>Pushes one OpenSSH public key line.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="instanceId"><c>i-…</c></param>
    /// <param name="availabilityZone">The instance's zone; null: left out.</param>
    /// <param name="osUser">Login name on the instance.</param>
    /// <param name="publicKey">E.g. <c>ssh-ed25519 AAAA…</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="AwsFailure">NotFound, Permission, or Refused (e.g. EC2InstanceStateInvalidException).</exception>
    public static async Task PushAsync(AwsAccess access, string instanceId, string? availabilityZone, string osUser, string publicKey, CancellationToken cancellationToken)
    {
        using var answer = await access.AskAsync(AwsService.InstanceConnect, "SendSSHPublicKey", stop => access.InstanceConnect.JsonAsync("SendSSHPublicKey", json =>
        {
            json.WriteString("InstanceId", instanceId);
            json.WriteString("InstanceOSUser", osUser);
            json.WriteString("SSHPublicKey", publicKey);
            if (availabilityZone is not null)
                json.WriteString("AvailabilityZone", availabilityZone);
        }, stop), cancellationToken).ConfigureAwait(false);
        if (!answer.RootElement.TryGetProperty("Success", out var success) || success.ValueKind != JsonValueKind.True)
            throw new AwsFailure(AwsFailureKind.Refused, Operation, null, $"{Operation}: AWS did not take the key for {osUser} on {instanceId}");
    }
}
