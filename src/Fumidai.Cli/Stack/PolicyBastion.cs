using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary>The one bastion that <c>connect</c> would take, and whether by SSH, for a policy that names it.</summary>
internal static class PolicyBastion
{
    /// <exception cref="FumidaiException">NotFound: there is none that fits.</exception>
    internal static async Task<(BastionInstance Bastion, bool IsSsh)> FindAsync(AwsAccess access, Settings settings, Target target, CancellationToken cancellationToken)
    {
        var via = settings.CommandLine.Via ?? target.Settings?.Via ?? "auto";
        var named = settings.CommandLine.Bastion ?? target.Settings?.Bastion;
        var all = await CandidatesAsync(access, named, target, cancellationToken);
        // As connect does: Session Manager before SSH, ours before others, then by id.
        var inOrder = all.OrderByDescending(b => b.Tags.ContainsKey(Stacks.StackPlan.OwnerTag)).ThenBy(b => b.Id, StringComparer.Ordinal).ToList();
        if (via is "ssm" or "auto" && (inOrder.Find(b => b.IsOnline) ?? inOrder.Find(b => b.PingStatus is not null && b.PublicAddress is null) ?? inOrder.Find(b => b.State == "stopped")) is { } managed)
            return (managed, false);
        if (via is "ssh" or "auto" && inOrder.Find(b => b.PublicAddress is not null) is { } open)
            return (open, true);
        throw new FumidaiException(
            Reason.NotFound, $"no bastion for {(via == "auto" ? "ssm or ssh" : via)} was found for {target.Name}",
            all.Count == 0 ? "there is no instance" : $"{string.Join(", ", all.Select(b => b.Id))} will not do", "Name one with --bastion");
    }

    private static async Task<IReadOnlyList<BastionInstance>> CandidatesAsync(AwsAccess access, string? named, Target target, CancellationToken cancellationToken)
    {
        if (named is null)
        {
            return target.Database?.VpcId is { } vpc
                ? await FindBastions.ListAsync(access, vpc, cancellationToken)
                : throw new FumidaiException(Reason.Usage, $"the VPC of {target.Name} is not known", next: "Name its bastion with --bastion");
        }
        if (!named.StartsWith("tag:", StringComparison.Ordinal))
            return [await FindBastions.GetAsync(access, named, cancellationToken)];
        var at = named.IndexOf('=', StringComparison.Ordinal);
        return await FindBastions.ByTagAsync(access, named[4..at], named[(at + 1)..], cancellationToken);
    }
}
