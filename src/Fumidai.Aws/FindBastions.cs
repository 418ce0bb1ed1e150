using System.Net;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>Which instances could carry us? Source: DescribeInstances, DescribeInstanceInformation (aws-facts §1.1, §1.2).</summary>
/// <remarks>Who may not ask Session Manager about its nodes gets instances without a ping status; only <see cref="StartAsync"/> insists when it waits for it.</remarks>
public static class FindBastions
{
    /// <summary>How often a starting instance is looked at.</summary>
    internal static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(3);

    /// <summary>How long a start may take: an agent that came up before its network sleeps five minutes before it tries again (aws-facts §2.6).</summary>
    internal static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(10);

    private static readonly List<string> LivingStates = ["pending", "running", "stopping", "stopped"];

    /// <summary>Instances of a VPC (null: of the region) that are not terminated, with their Session Manager state.</summary>
    public static async Task<IReadOnlyList<BastionInstance>> ListAsync(AwsAccess access, string? vpcId, CancellationToken cancellationToken)
    {
        var filters = new List<Filter> { new("instance-state-name", LivingStates) };
        if (vpcId is not null)
            filters.Add(new Filter("vpc-id", [vpcId]));
        return await DescribeAsync(access, new DescribeInstancesRequest { Filters = filters }, true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>By instance id (<c>i-…</c>).</summary>
    /// <exception cref="AwsFailure">NotFound when there is none of this id, or it is terminated.</exception>
    public static Task<BastionInstance> GetAsync(AwsAccess access, string instanceId, CancellationToken cancellationToken) =>
        GetAsync(access, instanceId, true, cancellationToken);

    /// <summary>By tag; terminated ones are left out.</summary>
    public static async Task<IReadOnlyList<BastionInstance>> ByTagAsync(AwsAccess access, string key, string value, CancellationToken cancellationToken) =>
        await DescribeAsync(access, new DescribeInstancesRequest { Filters = [new("instance-state-name", LivingStates), new("tag:" + key, [value])] }, true, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// StartInstances, then waits until the instance is running (and Online when asked), reporting state changes. One that is stopping is
    /// waited for first; one that is running already is not started.
    /// </summary>
    /// <exception cref="AwsFailure">Refused: it stopped again, or was not there within ten minutes.</exception>
    public static async Task<BastionInstance> StartAsync(AwsAccess access, string instanceId, bool untilOnline, IProgress<string> states, CancellationToken cancellationToken)
    {
        var began = access.Time.GetTimestamp();
        var (isStarted, wasSeenStarting, told) = (false, false, "");
        while (true)
        {
            var instance = await GetAsync(access, instanceId, !untilOnline, cancellationToken).ConfigureAwait(false);
            var state = instance.State == "running" && untilOnline
                ? instance.IsOnline ? "Online" : $"running, agent {instance.PingStatus ?? "not registered yet"}"
                : instance.State;
            if (state != told)
                states.Report(told = state);
            if (instance.State == "running" && (!untilOnline || instance.IsOnline))
                return instance;
            wasSeenStarting |= isStarted && instance.State == "pending";
            if (instance.State == "stopped" && !isStarted)
            {
                await access.AskAsync(AwsService.Ec2, "StartInstances", stop => access.Ec2.StartInstancesAsync(new StartInstancesRequest([instanceId]), stop), cancellationToken).ConfigureAwait(false);
                isStarted = true;
            }
            else if (instance.State is "stopped" or "stopping" && wasSeenStarting)
            {
                throw new AwsFailure(AwsFailureKind.Refused, "ec2:StartInstances", null, $"ec2:StartInstances: {instanceId} started and is {instance.State} again");
            }
            if (access.Time.GetElapsedTime(began) > StartLimit)
                throw new AwsFailure(AwsFailureKind.Refused, "ec2:StartInstances", null, $"ec2:StartInstances: {instanceId} is {state} after {StartLimit.TotalMinutes:0} minutes");
            await Task.Delay(PollPeriod, access.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<BastionInstance> GetAsync(AwsAccess access, string instanceId, bool isPingOptional, CancellationToken cancellationToken)
    {
        var found = await DescribeAsync(access, new DescribeInstancesRequest { InstanceIds = [instanceId] }, isPingOptional, cancellationToken).ConfigureAwait(false);
        return found.FirstOrDefault(i => LivingStates.Contains(i.State)) ?? throw new AwsFailure(AwsFailureKind.NotFound, "ec2:DescribeInstances", null,
            found.Count > 0 ? $"instance {instanceId} is {found[0].State}" : $"there is no instance {instanceId} in {access.Region}");
    }

    private static async Task<List<BastionInstance>> DescribeAsync(AwsAccess access, DescribeInstancesRequest request, bool isPingOptional, CancellationToken cancellationToken)
    {
        var instances = new List<Instance>();
        do
        {
            var page = await access.AskAsync(AwsService.Ec2, "DescribeInstances", stop => access.Ec2.DescribeInstancesAsync(request, stop), cancellationToken).ConfigureAwait(false);
            instances.AddRange((page.Reservations ?? []).SelectMany(r => r.Instances ?? []));
            request.NextToken = page.NextToken;
        }
        while (!string.IsNullOrEmpty(request.NextToken));
        if (instances.Count == 0)
            return [];
        var nodes = await ManagedNodes.AskAsync(access, [.. instances.Select(i => i.InstanceId)], isPingOptional, cancellationToken).ConfigureAwait(false);
        return [.. instances.Select(i => Describe(i, nodes.GetValueOrDefault(i.InstanceId)))];
    }

    private static BastionInstance Describe(Instance instance, ManagedNode? node)
    {
        var tags = (instance.Tags ?? []).DistinctBy(t => t.Key).ToDictionary(t => t.Key, t => t.Value ?? "", StringComparer.Ordinal);
        var ofInterfaces = (instance.NetworkInterfaces ?? []).SelectMany(n => n.Groups ?? []).Select(g => g.GroupId);
        return new BastionInstance
        {
            Id = instance.InstanceId,
            Name = tags.GetValueOrDefault("Name"),
            State = instance.State?.Name?.Value ?? "unknown",
            VpcId = NullIfEmpty(instance.VpcId),
            SubnetId = NullIfEmpty(instance.SubnetId),
            AvailabilityZone = NullIfEmpty(instance.Placement?.AvailabilityZone),
            PrivateAddress = Address(instance.PrivateIpAddress),
            PublicAddress = Address(instance.PublicIpAddress),
            SecurityGroupIds = [.. (instance.SecurityGroups ?? []).Select(g => g.GroupId).Concat(ofInterfaces).Where(g => !string.IsNullOrEmpty(g)).Distinct(StringComparer.Ordinal)],
            Tags = tags,
            PingStatus = node?.PingStatus,
            AgentVersion = node?.AgentVersion,
            Launched = instance.LaunchTime is { } launched ? new DateTimeOffset(launched.ToUniversalTime()) : null,
        };
    }

    private static IPAddress? Address(string? text) => IPAddress.TryParse(text, out var address) ? address : null;

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
