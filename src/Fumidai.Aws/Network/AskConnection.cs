using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;

namespace Fumidai.Aws;

/// <summary>Is an agent connected now? ssm:GetConnectionStatus, which knows sooner than the ping, whose word holds for five minutes.</summary>
public static class AskConnection
{
    /// <summary>Whether a session could be started there now.</summary>
    public static async Task<bool> IsOpenAsync(AwsAccess access, string instanceId, CancellationToken cancellationToken)
    {
        var answer = await access.AskAsync(AwsService.Ssm, "GetConnectionStatus", stop => access.Ssm.GetConnectionStatusAsync(new GetConnectionStatusRequest { Target = instanceId }, stop), cancellationToken).ConfigureAwait(false);
        return answer.Status == ConnectionStatus.Connected;
    }
}
