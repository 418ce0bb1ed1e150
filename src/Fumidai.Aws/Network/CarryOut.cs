namespace Fumidai.Aws;

/// <summary>One call that changes something, as data: a proposed repair that a person may read before it is made.</summary>
/// <param name="Service"><c>ec2</c> or <c>rds</c>.</param>
/// <param name="Operation">E.g. <c>AuthorizeSecurityGroupIngress</c>.</param>
/// <param name="Parameters">In the query protocol's names.</param>
public sealed record AwsChange(string Service, string Operation, IReadOnlyList<KeyValuePair<string, string>> Parameters);

/// <summary>Makes a change that was shown and agreed to.</summary>
public static class CarryOut
{
    private static readonly AwsService s_ec2 = new("EC2", "ec2", "ec2", "2016-11-15");

    /// <summary>Makes it; the answer is not needed, its absence is a failure.</summary>
    /// <exception cref="AwsFailure">Refused.</exception>
    public static async Task RunAsync(AwsAccess access, AwsChange change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(change);
        if (change.Service == "rds")
        {
            await access.AskAsync(AwsService.Rds, change.Operation, stop => access.Rds.QueryAsync(change.Operation, change.Parameters, stop), cancellationToken).ConfigureAwait(false);
            return;
        }
        using var client = access.NewRaw(s_ec2);
        await access.AskAsync(AwsService.Ec2, change.Operation, stop => client.QueryAsync(change.Operation, change.Parameters, stop), cancellationToken).ConfigureAwait(false);
    }
}
