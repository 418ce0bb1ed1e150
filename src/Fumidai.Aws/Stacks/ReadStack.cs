using System.Globalization;
using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>What is this stack, and which are there? DescribeStacks and GetTemplate.</summary>
public static class ReadStack
{
    /// <summary>One stack by name or id; null: there is none. A deleted one answers by id only.</summary>
    public static async Task<CloudFormationStack?> FindAsync(AwsAccess access, string nameOrId, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await access.AskAsync(AwsService.CloudFormation, "DescribeStacks",
                stop => access.CloudFormation.QueryAsync("DescribeStacks", [new("StackName", nameOrId)], stop), cancellationToken).ConfigureAwait(false);
            return answer.Children("Stacks", "member").Select(Stack).FirstOrDefault();
        }
        catch (AwsFailure f) when (IsNoStack(f))
        {
            return null;
        }
    }

    /// <summary>Every stack of the region that is not deleted and has this tag, whatever its value.</summary>
    public static async Task<IReadOnlyList<CloudFormationStack>> WithTagAsync(AwsAccess access, string tag, CancellationToken cancellationToken)
    {
        var all = await StackPages.ReadAsync(access, "DescribeStacks", "Stacks", [], cancellationToken).ConfigureAwait(false);
        return [.. all.Select(Stack).Where(s => s.Tags.ContainsKey(tag) && s.Status != "DELETE_COMPLETE")];
    }

    /// <summary>The template as it was sent.</summary>
    /// <exception cref="AwsFailure">Refused: there is no such stack.</exception>
    public static async Task<string> TemplateAsync(AwsAccess access, string nameOrId, CancellationToken cancellationToken)
    {
        var answer = await access.AskAsync(AwsService.CloudFormation, "GetTemplate",
            stop => access.CloudFormation.QueryAsync("GetTemplate", [new("StackName", nameOrId), new("TemplateStage", "Original")], stop), cancellationToken).ConfigureAwait(false);
        return answer.Text("TemplateBody") ?? "";
    }

    /// <summary>CloudFormation has no code of its own for a stack that is not there (aws-facts §1, CloudFormation).</summary>
    internal static bool IsNoStack(AwsFailure failure) =>
        failure.Code is "ValidationError" && failure.Message.Contains("does not exist", StringComparison.Ordinal);

    private static CloudFormationStack Stack(XElement stack) => new()
    {
        Id = stack.Text("StackId") ?? "",
        Name = stack.Text("StackName") ?? "",
        Status = stack.Text("StackStatus") ?? "",
        StatusReason = stack.Text("StackStatusReason"),
        Created = DateTimeOffset.TryParse(stack.Text("CreationTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var created) ? created : null,
        IsTerminationProtected = string.Equals(stack.Text("EnableTerminationProtection"), "true", StringComparison.OrdinalIgnoreCase),
        Parameters = Pairs(stack.Children("Parameters", "member"), "ParameterKey", "ResolvedValue", "ParameterValue"),
        Outputs = Pairs(stack.Children("Outputs", "member"), "OutputKey", "OutputValue"),
        Tags = Pairs(stack.Children("Tags", "member"), "Key", "Value"),
    };

    private static Dictionary<string, string> Pairs(IEnumerable<XElement> members, string key, params string[] values) => members.Where(m => m.Text(key) is not null)
        .DistinctBy(m => m.Text(key)).ToDictionary(m => m.Text(key)!, m => values.Select(v => m.Text(v)).FirstOrDefault(v => v is not null) ?? "", StringComparer.Ordinal);
}
