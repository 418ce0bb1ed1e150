namespace Fumidai.Lab;

/// <summary>What EC2's types share: their tags are EC2's.</summary>
internal abstract class Ec2Type(string name, string properties, string attributes) : ResourceType(name, properties, attributes)
{
    protected const string TagProperties = " Tags.Key Tags.Value";

    public override Resource? Find(LabModel m, StackResource resource) => TagCalls.All(m).FirstOrDefault(r => r.Id == resource.PhysicalId);

    public override async Task UpdateAsync(ResourceWork work, TemplateNode.Map before, IReadOnlySet<string> changed)
    {
        if (!HasTags || !changed.Contains("Tags"))
            return;
        var id = work.Lab.Model.Read(m => Find(m, work.Resource))?.Id ?? work.PhysicalId;
        var gone = work.Resource.Tags.Where(t => !work.Tags.ContainsKey(t.Key)).ToList();
        if (gone.Count > 0)
            await work.CallAsync("ec2", "DeleteTags", [("ResourceId.1", id), .. ResourceWork.Pairs("Tag", gone)]).ConfigureAwait(false);
        if (work.Tags.Count > 0)
            await work.CallAsync("ec2", "CreateTags", [("ResourceId.1", id), .. ResourceWork.Pairs("Tag", work.Tags)]).ConfigureAwait(false);
    }
}
