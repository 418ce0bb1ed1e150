namespace Fumidai.Lab;

/// <summary>Instance profiles on instances.</summary>
internal sealed class InstanceProfileCalls(LabContext context)
{
    public AwsAnswer Associate(AwsCall call, QueryForm form)
    {
        var id = form.Required("InstanceId");
        return context.Model.Change(m =>
        {
            var instance = Ec2Ids.Instance.Find(m.Instances, call, id);
            var profile = Named(m, call, form) ?? throw form.Missing("IamInstanceProfile");
            if (instance.InstanceProfileArn is not null)
                throw new AwsError("IncorrectState", $"There is an existing association for instance {id}");
            instance.InstanceProfileArn = profile.Arn;
            instance.ProfileAssociationId = Ids.Ec2("iip-assoc");
            return new XmlText().Group("iamInstanceProfileAssociation", x => Write(x, m, instance, "associating")).ToAnswer();
        });
    }

    public AwsAnswer Disassociate(AwsCall call, QueryForm form)
    {
        var id = form.Required("AssociationId");
        return context.Model.Change(m =>
        {
            Ec2Ids.ProfileAssociation.DemandWellFormed(id);
            var instance = InstanceCalls.Mine(m, call).FirstOrDefault(i => i.ProfileAssociationId == id) ?? throw Ec2Ids.ProfileAssociation.NotFound(id);
            var answer = new XmlText().Group("iamInstanceProfileAssociation", x => Write(x, m, instance, "disassociating")).ToAnswer();
            instance.InstanceProfileArn = null;
            instance.ProfileAssociationId = null;
            return answer;
        });
    }

    public AwsAnswer Describe(AwsCall call, QueryForm form) => context.Model.Read(m =>
    {
        var found = Ec2List.Choose(form, InstanceCalls.Mine(m, call).Where(i => i.ProfileAssociationId is not null), "InstanceId", Ec2Ids.Instance, (i, f) => f switch
        {
            "instance-id" => [i.Id],
            "state" => ["associated"],
            _ => null,
        });
        return Ec2Xml.Set("iamInstanceProfileAssociationSet", found, (x, i) => Write(x, m, i, "associated"));
    });

    /// <summary>The profile that a call names by ARN or name; null: it names none.</summary>
    public static InstanceProfile? Named(LabModel m, AwsCall call, QueryForm form)
    {
        var arn = form.Text("IamInstanceProfile.Arn");
        var name = form.Text("IamInstanceProfile.Name");
        if (arn is null && name is null)
            return null;
        return m.InstanceProfiles.Values.FirstOrDefault(p => p.Account == call.Caller.Account && (arn is null ? p.Name == name : p.Arn == arn))
            ?? throw new AwsError("InvalidParameterValue", $"Value ({arn ?? name}) for parameter iamInstanceProfile.{(arn is null ? "name" : "arn")} is invalid. Invalid IAM Instance Profile {(arn is null ? "name" : "ARN")}");
    }

    /// <summary>The role that a call hands to an instance; null: none, or the call will be refused.</summary>
    public static Role? RoleOf(LabModel m, AwsCall call, QueryForm form)
    {
        var (arn, name) = (form.Text("IamInstanceProfile.Arn"), form.Text("IamInstanceProfile.Name"));
        var profile = m.InstanceProfiles.Values.FirstOrDefault(p => p.Account == call.Caller.Account && (arn is null ? p.Name == name : p.Arn == arn));
        return profile?.RoleName is { } role ? m.FindRole(profile.Account, role) : null;
    }

    private static void Write(XmlText x, LabModel m, Instance instance, string state) => x
        .Element("associationId", instance.ProfileAssociationId).Element("instanceId", instance.Id)
        .Group("iamInstanceProfile", p => p.Element("arn", instance.InstanceProfileArn).Element("id", m.InstanceProfiles.GetValueOrDefault(instance.InstanceProfileArn ?? "")?.Id))
        .Element("state", state);
}
