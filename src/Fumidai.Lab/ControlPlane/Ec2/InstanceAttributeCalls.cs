namespace Fumidai.Lab;

/// <summary>Single attributes of instances.</summary>
internal sealed class InstanceAttributeCalls(LabContext context)
{
    public AwsAnswer Describe(AwsCall call, QueryForm form)
    {
        var (id, attribute) = (form.Required("InstanceId"), form.Required("Attribute"));
        return context.Model.Read(m =>
        {
            var i = Ec2Ids.Instance.Find(m.Instances, call, id);
            var x = new XmlText().Element("instanceId", id);
            return attribute switch
            {
                "instanceType" => x.Group(attribute, v => v.Element("value", i.InstanceType)).ToAnswer(),
                "userData" => x.Group(attribute, v => v.Element("value", i.UserData)).ToAnswer(),
                "disableApiTermination" => x.Group(attribute, v => v.Element("value", i.DisableApiTermination)).ToAnswer(),
                "instanceInitiatedShutdownBehavior" => x.Group(attribute, v => v.Element("value", i.ShutdownBehavior)).ToAnswer(),
                "sourceDestCheck" => x.Group(attribute, v => v.Element("value", true)).ToAnswer(),
                "groupSet" => x.List(attribute, "item", i.SecurityGroupIds, (g, group) => g.Element("groupId", group)).ToAnswer(),
                _ => throw new AwsError("InvalidParameterValue", $"Value ({attribute}) for parameter attribute is invalid. Unknown attribute."),
            };
        });
    }

    public AwsAnswer Modify(AwsCall call, QueryForm form)
    {
        var id = form.Required("InstanceId");
        var groups = form.Texts("GroupId");
        var type = form.Text("InstanceType.Value");
        var data = form.Text("UserData.Value");
        var shutdown = form.Text("InstanceInitiatedShutdownBehavior.Value");
        var isKept = form.Flag("DisableApiTermination.Value");
        if (groups.Count == 0 && type is null && data is null && shutdown is null && isKept is null)
            throw new AwsError("MissingParameter", "The request must contain exactly one attribute to modify");
        return context.Model.Change(m =>
        {
            var i = Ec2Ids.Instance.Find(m.Instances, call, id);
            foreach (var group in groups)
            {
                if (Ec2Ids.Group.Find(m.SecurityGroups, call, group).VpcId != i.VpcId)
                    throw new AwsError("InvalidGroup.NotFound", $"The security group '{group}' does not exist in VPC '{i.VpcId}'");
            }
            if ((type is not null || data is not null) && i.State != "stopped")
                throw new AwsError("IncorrectInstanceState", $"The instance '{id}' is not in the 'stopped' state.");
            if (shutdown is not (null or "stop" or "terminate"))
                throw new AwsError("InvalidParameterValue", $"Value ({shutdown}) for parameter instanceInitiatedShutdownBehavior is invalid.");
            if (groups.Count > 0)
            {
                i.SecurityGroupIds.Clear();
                i.SecurityGroupIds.AddRange(groups);
            }
            i.InstanceType = type ?? i.InstanceType;
            i.UserData = data ?? i.UserData;
            i.ShutdownBehavior = shutdown ?? i.ShutdownBehavior;
            i.DisableApiTermination = isKept ?? i.DisableApiTermination;
            return Ec2Xml.True;
        });
    }

    public AwsAnswer ModifyMetadataOptions(AwsCall call, QueryForm form)
    {
        var id = form.Required("InstanceId");
        return context.Model.Change(m =>
        {
            var i = Ec2Ids.Instance.Find(m.Instances, call, id);
            SetMetadata(i, form, "");
            return new XmlText().Element("instanceId", id).Group("instanceMetadataOptions", o => InstanceCalls.Metadata(o, i)).ToAnswer();
        });
    }

    public static void SetMetadata(Instance instance, QueryForm form, string prefix)
    {
        var tokens = form.Text(prefix + "HttpTokens");
        var endpoint = form.Text(prefix + "HttpEndpoint");
        var hops = form.Number(prefix + "HttpPutResponseHopLimit");
        if (tokens is not (null or "optional" or "required") || endpoint is not (null or "enabled" or "disabled") || hops is < 1 or > 64)
            throw new AwsError("InvalidParameterValue", "A metadata option has a value that is not allowed.");
        instance.HttpTokens = tokens ?? instance.HttpTokens;
        instance.HttpEndpoint = endpoint ?? instance.HttpEndpoint;
        instance.HttpHopLimit = hops ?? instance.HttpHopLimit;
    }
}
