namespace Fumidai.Aws;

/// <summary>An instance profile and its role.</summary>
/// <param name="Name">The profile's name.</param>
/// <param name="RoleName">The role's name; null: the profile holds none.</param>
/// <param name="RoleArn">The role's ARN.</param>
public sealed record InstanceRole(string Name, string? RoleName, string? RoleArn);

/// <summary>Which role has an instance? iam:GetInstanceProfile.</summary>
public static class ReadInstanceRole
{
    /// <summary>The role behind an instance profile's ARN; null: the profile does not exist.</summary>
    public static async Task<InstanceRole?> OfAsync(AwsAccess access, string profileArn, CancellationToken cancellationToken)
    {
        var name = profileArn[(profileArn.LastIndexOf('/') + 1)..];
        try
        {
            var answer = await access.AskAsync(AwsService.IdentityAccess, "GetInstanceProfile", stop => access.Iam.QueryAsync("GetInstanceProfile", [new("InstanceProfileName", name)], stop), cancellationToken).ConfigureAwait(false);
            var role = answer.Child("InstanceProfile").Children("Roles", "member").FirstOrDefault();
            return new InstanceRole(name, role.Text("RoleName"), role.Text("Arn"));
        }
        catch (AwsFailure f) when (f.Kind == AwsFailureKind.NotFound || f.Code == "NoSuchEntity")
        {
            return null;
        }
    }
}
