using System.Globalization;

namespace Fumidai.Lab;

/// <summary>What EC2 tells of instances.</summary>
internal sealed class InstanceCalls(LabContext context)
{
    public AwsAnswer DescribeInstances(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, Mine(m, call), "InstanceId", Ec2Ids.Instance, (i, f) => ValuesOf(m, i, f));
        return Ec2Xml.Set("reservationSet", found, (x, i) => x
            .Element("reservationId", "r-" + i.Id[2..])
            .Element("ownerId", i.Account)
            .List("groupSet", "item", Array.Empty<string>(), (_, _) => { })
            .List("instancesSet", "item", [i], (y, one) => Write(y, m, one)));
    });

    public AwsAnswer DescribeInstanceStatus(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var all = form.Flag("IncludeAllInstances") == true;
        var found = Ec2List.Choose(form, Mine(m, call).Where(i => all || i.State == "running" || form.Texts("InstanceId").Contains(i.Id)), "InstanceId", Ec2Ids.Instance, (i, f) => ValuesOf(m, i, f));
        var shown = (found.Page.Where(i => all || i.State == "running").ToList(), found.Next);
        return Ec2Xml.Set<Instance>("instanceStatusSet", shown, (x, i) =>
        {
            var health = i.State != "running" ? "not-applicable" : context.Time.GetUtcNow() - i.LaunchedAt < TimeSpan.FromMinutes(1) ? "initializing" : "ok";
            var detail = health switch { "ok" => "passed", "initializing" => "initializing", _ => null };
            x.Element("instanceId", i.Id).Element("availabilityZone", i.AvailabilityZone).Group("instanceState", s => State(s, i.State));
            foreach (var name in (string[])["systemStatus", "instanceStatus"])
            {
                x.Group(name, s => s.Element("status", health)
                    .List<string>("details", "item", detail is null ? [] : [detail], (d, status) => d.Element("name", "reachability").Element("status", status)));
            }
        });
    });

    public static IEnumerable<Instance> Mine(LabModel m, AwsCall call) => m.Instances.Values.Where(i => i.Account == call.Caller.Account && i.Region == call.Region);

    public static XmlText State(XmlText x, string state) => x.Element("code", state switch
    {
        "pending" => 0,
        "running" => 16,
        "shutting-down" => 32,
        "terminated" => 48,
        "stopping" => 64,
        _ => 80,
    }).Element("name", state);

    public static void Write(XmlText x, LabModel m, Instance i)
    {
        // A terminated instance keeps its id for a while and has lost its network.
        var isGone = i.State == "terminated";
        x.Element("instanceId", i.Id).Element("imageId", i.ImageId).Group("instanceState", s => State(s, i.State))
            .Element("privateDnsName", isGone ? "" : VpcResolver.PrivateNameOf(i)).Element("dnsName", PublicNameOf(m, i) ?? "").Element("amiLaunchIndex", 0)
            .Element("instanceType", i.InstanceType).Element("launchTime", i.LaunchedAt)
            .Group("placement", p => p.Element("availabilityZone", i.AvailabilityZone).Element("tenancy", "default"))
            .Group("monitoring", p => p.Element("state", "disabled"));
        if (!isGone)
        {
            x.Element("subnetId", i.SubnetId).Element("vpcId", i.VpcId).Element("privateIpAddress", i.PrivateAddress.ToString()).Element("ipAddress", i.PublicAddress?.ToString());
        }
        x.Element("sourceDestCheck", true).List("groupSet", "item", isGone ? [] : i.SecurityGroupIds, (g, id) => Group(g, m, id))
            .Element("architecture", "arm64").Element("rootDeviceType", "ebs").Element("rootDeviceName", "/dev/xvda").Element("virtualizationType", "hvm").Element("hypervisor", "xen").Tags(i);
        if (i.InstanceProfileArn is { } profile && m.InstanceProfiles.TryGetValue(profile, out var known))
            x.Group("iamInstanceProfile", p => p.Element("arn", profile).Element("id", known.Id));
        if (i.RootVolume is { } volume && !isGone)
        {
            x.List("blockDeviceMapping", "item", [volume], (b, v) => b.Element("deviceName", v.Device)
                .Group("ebs", e => e.Element("volumeId", v.Id).Element("status", "attached").Element("deleteOnTermination", true)));
        }
        x.Element("clientToken", i.ClientToken).List<Instance>("networkInterfaceSet", "item", isGone ? [] : [i], (n, one) => NetworkInterface(n, m, one))
            .Group("metadataOptions", o => Metadata(o, i))
            .Element("platformDetails", "Linux/UNIX");
    }

    public static void Metadata(XmlText x, Instance i) =>
        x.Element("state", "applied").Element("httpTokens", i.HttpTokens).Element("httpPutResponseHopLimit", i.HttpHopLimit).Element("httpEndpoint", i.HttpEndpoint);

    private static void NetworkInterface(XmlText x, LabModel m, Instance i) => x
        .Element("networkInterfaceId", "eni-" + i.Id[2..]).Element("subnetId", i.SubnetId).Element("vpcId", i.VpcId).Element("ownerId", i.Account)
        .Element("status", "in-use").Element("privateIpAddress", i.PrivateAddress.ToString()).Element("privateDnsName", VpcResolver.PrivateNameOf(i)).Element("sourceDestCheck", true)
        .List("groupSet", "item", i.SecurityGroupIds, (g, id) => Group(g, m, id))
        .Group("attachment", a => a.Element("attachmentId", "eni-attach-" + i.Id[2..]).Element("deviceIndex", 0).Element("status", "attached").Element("deleteOnTermination", true))
        .List("privateIpAddressesSet", "item", [i], (p, one) =>
        {
            p.Element("privateIpAddress", one.PrivateAddress.ToString()).Element("primary", true);
            if (one.PublicAddress is { } open)
                p.Group("association", a => a.Element("publicIp", open.ToString()).Element("ipOwnerId", "amazon"));
        });

    private static void Group(XmlText x, LabModel m, string id) => x.Element("groupId", id).Element("groupName", m.SecurityGroups.GetValueOrDefault(id)?.Name);

    private static string? PublicNameOf(LabModel m, Instance i) => i.PublicAddress is { } open && m.Vpcs.TryGetValue(i.VpcId, out var vpc) && vpc.EnableDnsHostnames
        ? $"ec2-{open.ToString().Replace('.', '-')}.{i.Region}.compute.amazonaws.com"
        : null;

    private static IEnumerable<string?>? ValuesOf(LabModel m, Instance i, string filter) => filter switch
    {
        "instance-id" => [i.Id],
        "instance-state-name" => [i.State],
        "instance-state-code" => [(i.State switch { "pending" => 0, "running" => 16, "shutting-down" => 32, "terminated" => 48, "stopping" => 64, _ => 80 }).ToString(CultureInfo.InvariantCulture)],
        "instance-type" => [i.InstanceType],
        "image-id" => [i.ImageId],
        "vpc-id" or "network-interface.vpc-id" => [i.VpcId],
        "subnet-id" or "network-interface.subnet-id" => [i.SubnetId],
        "availability-zone" => [i.AvailabilityZone],
        "private-ip-address" or "network-interface.addresses.private-ip-address" => [i.PrivateAddress.ToString()],
        "private-dns-name" => [VpcResolver.PrivateNameOf(i)],
        "ip-address" or "network-interface.addresses.association.public-ip" => [i.PublicAddress?.ToString()],
        "instance.group-id" or "group-id" or "network-interface.group-id" => i.SecurityGroupIds,
        "instance.group-name" or "group-name" => i.SecurityGroupIds.Select(g => m.SecurityGroups.GetValueOrDefault(g)?.Name),
        "iam-instance-profile.arn" => [i.InstanceProfileArn],
        "iam-instance-profile.name" => [i.InstanceProfileArn?.Split('/')[^1]],
        _ => null,
    };
}
