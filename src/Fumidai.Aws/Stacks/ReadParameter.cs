using Amazon.SimpleSystemsManagement.Model;

namespace Fumidai.Aws;

/// <summary>What does this SSM parameter say? GetParameter.</summary>
public static class ReadParameter
{
    /// <summary>The value of a plain parameter, AWS's public ones included.</summary>
    /// <exception cref="AwsFailure">NotFound (ParameterNotFound); Permission.</exception>
    public static async Task<string> GetAsync(AwsAccess access, string name, CancellationToken cancellationToken)
    {
        var answer = await access.AskAsync(AwsService.Ssm, "GetParameter", stop => access.Ssm.GetParameterAsync(new GetParameterRequest { Name = name }, stop), cancellationToken).ConfigureAwait(false);
        return answer.Parameter?.Value ?? throw new AwsFailure(AwsFailureKind.NotFound, "ssm:GetParameter", null, $"ssm:GetParameter: {name} has no value in {access.Region}");
    }
}
