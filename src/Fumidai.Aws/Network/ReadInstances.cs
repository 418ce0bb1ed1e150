using System.Net;
using Amazon.EC2.Model;

namespace Fumidai.Aws;

/// <summary>An instance with what a diagnosis needs to know of it.</summary>
public sealed record InstanceFacts
{
    /// <summary>i-…</summary>
    public required string Id { get; init; }
    /// <summary>Name tag.</summary>
    public string? Name { get; init; }
    /// <summary>pending, running, stopping, stopped.</summary>
    public required string State { get; init; }
    /// <summary>VPC.</summary>
    public string? VpcId { get; init; }
    /// <summary>Subnet.</summary>
    public string? SubnetId { get; init; }
    /// <summary>E.g. t4g.nano.</summary>
    public string InstanceType { get; init; } = "";
    /// <summary>Private IPv4 address.</summary>
    public IPAddress? PrivateAddress { get; init; }
    /// <summary>Public IPv4 address.</summary>
    public IPAddress? PublicAddress { get; init; }
    /// <summary>Security groups.</summary>
    public IReadOnlyList<string> GroupIds { get; init; } = [];
    /// <summary>ARN of its instance profile.</summary>
    public string? ProfileArn { get; init; }
    /// <summary>Whether the metadata service, from which the agent takes its role's keys, answers.</summary>
    public bool HasMetadata { get; init; } = true;
    /// <summary>Last start.</summary>
    public DateTimeOffset? Launched { get; init; }
    /// <summary>Tags.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
    /// <summary>Online, ConnectionLost, Inactive; null: Session Manager does not know it.</summary>
    public string? PingStatus { get; init; }
    /// <summary>Session Manager agent's version.</summary>
    public string? AgentVersion { get; init; }
}

/// <summary>Which living instances has a VPC? DescribeInstances, DescribeInstanceInformation.</summary>
public static class ReadInstances
{
    /// <summary>All that are not terminated; in every VPC of the region with <paramref name="vpcId"/> null.</summary>
    public static async Task<IReadOnlyList<InstanceFacts>> OfAsync(AwsAccess access, string? vpcId, CancellationToken cancellationToken)
    {
        List<Filter> filters = [new("instance-state-name", ["pending", "running", "stopping", "stopped"])];
        if (vpcId is not null)
            filters.Add(new("vpc-id", [vpcId]));
        var all = await Ec2Pages.AllAsync(access, "DescribeInstances", async (token, stop) =>
        {
            var page = await access.Ec2.DescribeInstancesAsync(new DescribeInstancesRequest { Filters = filters, NextToken = token }, stop).ConfigureAwait(false);
            return (page.Reservations?.SelectMany(r => r.Instances ?? []), page.NextToken);
        }, cancellationToken).ConfigureAwait(false);
        if (all.Count == 0)
            return [];
        var nodes = await ManagedNodes.AskAsync(access, [.. all.Select(i => i.InstanceId)], isOptional: true, cancellationToken).ConfigureAwait(false);
        return [.. all.Select(i => Describe(i, nodes.GetValueOrDefault(i.InstanceId)))];
    }

    private static InstanceFacts Describe(Instance i, ManagedNode? node)
    {
        var tags = (i.Tags ?? []).DistinctBy(t => t.Key).ToDictionary(t => t.Key, t => t.Value ?? "", StringComparer.Ordinal);
        return new InstanceFacts
        {
            Id = i.InstanceId,
            Name = tags.GetValueOrDefault("Name"),
            State = i.State?.Name?.Value ?? "",
            VpcId = i.VpcId,
            SubnetId = i.SubnetId,
            InstanceType = i.InstanceType?.Value ?? "",
            PrivateAddress = IPAddress.TryParse(i.PrivateIpAddress, out var inside) ? inside : null,
            PublicAddress = IPAddress.TryParse(i.PublicIpAddress, out var outside) ? outside : null,
            GroupIds = [.. (i.SecurityGroups ?? []).Select(g => g.GroupId).Concat((i.NetworkInterfaces ?? []).SelectMany(n => n.Groups ?? []).Select(g => g.GroupId)).Distinct(StringComparer.Ordinal)],
            ProfileArn = i.IamInstanceProfile?.Arn,
            HasMetadata = i.MetadataOptions?.HttpEndpoint?.Value != "disabled",
            Launched = i.LaunchTime is { } at ? new DateTimeOffset(at.ToUniversalTime()) : null,
            Tags = tags,
            PingStatus = node?.PingStatus,
            AgentVersion = node?.AgentVersion,
        };
    }
}
