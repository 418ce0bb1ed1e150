using System.Globalization;

namespace Fumidai.Aws;

/// <summary>May somebody do something? iam:SimulatePrincipalPolicy, which does nothing itself.</summary>
public static class SimulatePolicy
{
    /// <summary>Asks for one principal: each action with whether it is allowed on the resource.</summary>
    /// <returns>Actions about which it said nothing certain are missing.</returns>
    /// <param name="access">Account and region.</param>
    /// <param name="principalArn">A user's or role's ARN; an assumed role's session is turned into its role.</param>
    /// <param name="actions">E.g. <c>ssm:StartSession</c>.</param>
    /// <param name="resources">ARNs, all asked for; empty: <c>*</c>.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<IReadOnlyDictionary<string, bool>> AskAsync(AwsAccess access, string principalArn, IReadOnlyList<string> actions, IReadOnlyList<string> resources, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> form = [new("PolicySourceArn", RoleOf(principalArn))];
        form.AddRange(actions.Select((a, i) => KeyValuePair.Create("ActionNames.member." + (i + 1).ToString(CultureInfo.InvariantCulture), a)));
        form.AddRange(resources.Select((r, i) => KeyValuePair.Create("ResourceArns.member." + (i + 1).ToString(CultureInfo.InvariantCulture), r)));
        var answer = await access.AskAsync(AwsService.IdentityAccess, "SimulatePrincipalPolicy", stop => access.Iam.QueryAsync("SimulatePrincipalPolicy", form, stop), cancellationToken).ConfigureAwait(false);
        var decided = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var action in answer.Children("EvaluationResults", "member").GroupBy(r => r.Text("EvalActionName") ?? "", StringComparer.Ordinal))
        {
            var isDenied = action.Any(r => r.Text("EvalDecision") != "allowed" && !IsOpen(r));
            // A condition on a value that the simulation was not given (a tag, an address) decides nothing.
            if (isDenied || !action.Any(IsOpen))
                decided[action.Key] = !isDenied;
        }
        return decided;
    }

    private static bool IsOpen(System.Xml.Linq.XElement result) => result.Text("EvalDecision") != "allowed" && result.Children("MissingContextValues", "member").Any();

    // arn:aws:sts::123456789012:assumed-role/NAME/SESSION is no policy's owner; the role is (its path is not told, so roles with a path stay unknown).
    private static string RoleOf(string arn)
    {
        if (!arn.Contains(":assumed-role/", StringComparison.Ordinal))
            return arn;
        var parts = arn.Split('/');
        return arn.Split(":assumed-role/")[0].Replace(":sts:", ":iam:", StringComparison.Ordinal) + ":role/" + parts[1];
    }
}
