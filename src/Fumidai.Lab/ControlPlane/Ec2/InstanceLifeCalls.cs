namespace Fumidai.Lab;

/// <summary>Instances coming and going. The model says pending or stopping at once; the machine follows a moment later.</summary>
internal sealed class InstanceLifeCalls(LabContext context)
{
    private const int MostInstances = 20;

    public AwsAnswer StartInstances(AwsCall call, QueryForm form) => Change(call, form, "startingInstances", i => i.State switch
    {
        "stopped" => "pending",
        "pending" or "running" => i.State,
        _ => throw Incorrect(i, "started"),
    });

    public AwsAnswer StopInstances(AwsCall call, QueryForm form) => Change(call, form, "stoppingInstances", i => i.State switch
    {
        "running" or "pending" => "stopping",
        "stopping" or "stopped" => i.State,
        _ => throw Incorrect(i, "stopped"),
    });

    public AwsAnswer TerminateInstances(AwsCall call, QueryForm form) => Change(call, form, "terminatingInstances", i => i.State == "terminated" ? i.State
        : i.DisableApiTermination ? throw new AwsError("OperationNotPermitted", $"The instance '{i.Id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.")
        : "shutting-down");

    /// <summary>The instance stays running; what runs on it starts anew.</summary>
    public AwsAnswer RebootInstances(AwsCall call, QueryForm form)
    {
        foreach (var instance in Named(call, form))
        {
            if (instance.State != "running")
                throw Incorrect(instance, "rebooted");
            context.Transitions.Start("Reboot", async cancel =>
            {
                await context.Machines.HaltInstanceAsync(instance.Id, cancel).ConfigureAwait(false);
                if (instance.State == "running")
                    await context.Machines.BootInstanceAsync(instance.Id, cancel).ConfigureAwait(false);
            });
        }
        return Ec2Xml.True;
    }

    public AwsAnswer RunInstances(AwsCall call, QueryForm form)
    {
        var image = form.Required("ImageId");
        var least = form.Number("MinCount") ?? throw form.Missing("MinCount");
        var most = form.Number("MaxCount") ?? throw form.Missing("MaxCount");
        if (least < 1 || most < least)
            throw new AwsError("InvalidParameterValue", $"Value ({most}) for parameter maxCount is invalid. It must be at least minCount ({least}), which must be at least 1.");
        if (most > MostInstances)
            throw new AwsError("InstanceLimitExceeded", $"You have requested more instances ({most}) than your current instance limit of {MostInstances} allows.");
        var subnetId = form.Text("SubnetId") ?? form.Text("NetworkInterface.1.SubnetId") ?? throw new AwsError("VPCIdNotSpecified", "No default VPC for this user");
        var groups = form.Texts("SecurityGroupId") is { Count: > 0 } direct ? direct : form.Texts("NetworkInterface.1.SecurityGroupId");
        if (form.Text("KeyName") is { } key)
            throw new AwsError("InvalidKeyPair.NotFound", $"The key pair '{key}' does not exist");
        var shutdown = form.Text("InstanceInitiatedShutdownBehavior") ?? "stop";
        var token = form.Text("ClientToken");
        // The same token again is the same instances.
        if (token is not null && context.Model.Read(m => InstanceCalls.Mine(m, call).Where(i => i.ClientToken == token).ToList()) is { Count: > 0 } earlier)
            return Answer(call, earlier);
        var made = context.Model.Change(m =>
        {
            var subnet = Ec2Ids.Subnet.Find(m.Subnets, call, subnetId);
            foreach (var group in groups)
            {
                if (Ec2Ids.Group.Find(m.SecurityGroups, call, group).VpcId != subnet.VpcId)
                    throw new AwsError("InvalidParameter", $"Security group {group} and subnet {subnetId} belong to different networks.");
            }
            var profile = InstanceProfileCalls.Named(m, call, form);
            var wantsOpen = form.Flag("NetworkInterface.1.AssociatePublicIpAddress") ?? subnet.MapPublicIpOnLaunch;
            var instances = new List<Instance>();
            for (var n = 0; n < most; n++)
            {
                var instance = new Instance
                {
                    Id = Ids.Ec2("i"),
                    Account = call.Caller.Account,
                    Region = call.Region,
                    VpcId = subnet.VpcId,
                    SubnetId = subnet.Id,
                    AvailabilityZone = subnet.AvailabilityZone,
                    PrivateAddress = AddressPlan.Next(m, subnet),
                    PublicAddress = wantsOpen ? AddressPlan.NextPublic(m, m.Vpcs[subnet.VpcId].Cidr) : null,
                    ImageId = image,
                    InstanceType = form.Text("InstanceType") ?? "m1.small",
                    State = "pending",
                    InstanceProfileArn = profile?.Arn,
                    ProfileAssociationId = profile is null ? null : Ids.Ec2("iip-assoc"),
                    LaunchedAt = context.Time.GetUtcNow(),
                    ClientToken = token,
                    UserData = form.Text("UserData"),
                    ShutdownBehavior = shutdown,
                    DisableApiTermination = form.Flag("DisableApiTermination") == true,
                    RootVolume = new InstanceVolume(Ids.Ec2("vol"), form.Text("BlockDeviceMapping.1.DeviceName") ?? "/dev/xvda", form.Text("BlockDeviceMapping.1.Ebs.VolumeType") ?? "gp3",
                        form.Number("BlockDeviceMapping.1.Ebs.VolumeSize") ?? 8, form.Flag("BlockDeviceMapping.1.Ebs.Encrypted") == true),
                };
                InstanceAttributeCalls.SetMetadata(instance, form, "MetadataOptions.");
                if (groups.Count > 0)
                    instance.SecurityGroupIds.AddRange(groups);
                else
                    instance.SecurityGroupIds.AddRange(m.SecurityGroups.Values.Where(g => g.VpcId == subnet.VpcId && g.Name == "default").Select(g => g.Id));
                NetworkCalls.Tag(instance, form, "instance");
                m.Instances[instance.Id] = instance;
                instances.Add(instance);
            }
            return instances;
        });
        foreach (var instance in made)
            Follow(instance);
        return Answer(call, made);
    }

    private AwsAnswer Answer(AwsCall call, List<Instance> made) => context.Model.Read(m => new XmlText().Element("reservationId", "r-" + made[0].Id[2..]).Element("ownerId", call.Caller.Account)
        .List("instancesSet", "item", made, (x, i) => InstanceCalls.Write(x, m, i)).ToAnswer());

    private AwsAnswer Change(AwsCall call, QueryForm form, string set, Func<Instance, string> next)
    {
        var changes = context.Model.Change(_ =>
        {
            var named = Named(call, form);
            // All or none: the next states are found before any is set.
            var states = named.Select(next).ToList();
            return named.Zip(states, (i, to) =>
            {
                var before = i.State;
                i.State = to;
                if (to == "pending")
                    i.LaunchedAt = context.Time.GetUtcNow();
                return (Instance: i, Before: before, After: to);
            }).ToList();
        });
        foreach (var (instance, before, after) in changes)
        {
            if (before != after)
                Follow(instance);
        }
        return new XmlText().List(set, "item", changes, (x, c) => x.Element("instanceId", c.Instance.Id)
            .Group("currentState", s => InstanceCalls.State(s, c.After)).Group("previousState", s => InstanceCalls.State(s, c.Before))).ToAnswer();
    }

    /// <summary>Carries a state in passing to its end, unless another call overtook it.</summary>
    private void Follow(Instance instance)
    {
        var passing = instance.State;
        context.Transitions.Start($"Instance {instance.Id}", async cancel =>
        {
            var end = passing switch { "pending" => "running", "stopping" => "stopped", _ => "terminated" };
            if (passing != "pending")
                await context.Machines.HaltInstanceAsync(instance.Id, cancel).ConfigureAwait(false);
            var isDone = context.Model.Change(_ =>
            {
                if (instance.State != passing)
                    return false;
                instance.State = end;
                return true;
            });
            if (isDone && end == "running")
                await context.Machines.BootInstanceAsync(instance.Id, cancel).ConfigureAwait(false);
        });
    }

    private List<Instance> Named(AwsCall call, QueryForm form)
    {
        var ids = form.Texts("InstanceId");
        if (ids.Count == 0)
            throw form.Missing("InstanceId");
        return context.Model.Read(m => ids.Select(id => Ec2Ids.Instance.Find(m.Instances, call, id)).ToList());
    }

    private static AwsError Incorrect(Instance instance, string what) =>
        new("IncorrectInstanceState", $"The instance '{instance.Id}' is not in a state from which it can be {what}.");
}
