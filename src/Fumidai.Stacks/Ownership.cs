using Fumidai.Aws;

namespace Fumidai.Stacks;

/// <summary>Whose a stack is: ours by its tag, never by its name.</summary>
internal static class Ownership
{
    /// <exception cref="StackFailure">Usage: the stack was made by somebody else.</exception>
    public static void Check(CloudFormationStack stack)
    {
        // CloudFormation need not tell the tags of a stack that is only planned, and there is nothing in it to harm.
        if (stack.Tags.ContainsKey(StackPlan.OwnerTag) || stack.Status == "REVIEW_IN_PROGRESS" && stack.Tags.Count == 0)
            return;
        throw StackFailure.Usage($"stack {stack.Name} exists, and fumidai did not make it (it has no tag {StackPlan.OwnerTag})", "Choose another --name");
    }
}
