namespace Fumidai.Stacks;

/// <summary>The least an IAM policy must grant, as JSON. Pure functions. Source: aws-facts §2.5, §3.</summary>
public static class IamPolicies
{
    /// <summary>For who connects: exactly this document, this instance, this secret, these database users, and one's own sessions.</summary>
    /// <exception cref="ArgumentException">No bastion is given.</exception>
    public static string Connect(ConnectScope scope)
    {
        if (scope.SessionBastionId is null && scope.SshBastionId is null)
            throw new ArgumentException("a way to connect needs a bastion", nameof(scope));
        return PolicyText.Of(ConnectStatements(scope));
    }

    /// <summary>For who builds, changes, looks at and takes down this plan's stack, and nothing that the plan has not.</summary>
    public static string Up(StackPlan plan, AccountScope where) => PolicyText.Of(UpPolicy.Statements(plan, where));

    /// <summary>For a bastion's own role, in place of AmazonSSMManagedInstanceCore: the five actions that sessions need.</summary>
    /// <param name="sessionKeyArn">The KMS key of the account's session preferences; null: none is set.</param>
    public static string Bastion(string? sessionKeyArn = null)
    {
        // None of these actions knows a resource to be limited to.
        List<PolicyStatement> statements =
        [
            new("Sessions",
            [
                "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
            ], ["*"]),
        ];
        if (sessionKeyArn is not null)
            statements.Add(new("SessionKey", ["kms:Decrypt"], [sessionKeyArn]));
        return PolicyText.Of(statements);
    }

    private static IEnumerable<PolicyStatement> ConnectStatements(ConnectScope scope)
    {
        var where = scope.Where;
        // Describe calls know no resource to be limited to, or are asked before the resource is known.
        List<string> look = ["ec2:DescribeInstances", "rds:DescribeDBClusters", "rds:DescribeDBInstances"];
        if (scope.SessionBastionId is not null)
            look.Add("ssm:DescribeInstanceInformation");
        if (scope.SshBastionId is not null)
            look.Add("ec2:DescribeSecurityGroups");
        yield return new("Look", look, ["*"]);
        if (scope.SessionBastionId is { } bastion)
        {
            // Documents of AWS have no account in their ARN. Without the condition the instance alone would also allow a shell.
            var document = scope.Document.StartsWith("AWS-", StringComparison.Ordinal)
                ? $"arn:{where.Partition}:ssm:{where.Region}::document/{scope.Document}" : where.Arn("ssm", "document/" + scope.Document);
            yield return new("Start", ["ssm:StartSession"], [where.Arn("ec2", "instance/" + bastion), document], ("BoolIfExists", "ssm:SessionDocumentAccessCheck", ["true"]));
            yield return new("Channel", ["ssmmessages:OpenDataChannel"], [$"arn:{where.Partition}:ssm:*:*:session/*"]);
            // A session's id does not hold aws:userid, but its tag does.
            yield return new("OwnSessions", ["ssm:ResumeSession", "ssm:TerminateSession"], [$"arn:{where.Partition}:ssm:*:*:session/*"],
                ("StringEquals", "ssm:resourceTag/aws:ssmmessages:session-id", ["${aws:userid}"]));
            yield return new("Wake", ["ec2:StartInstances"], [where.Arn("ec2", "instance/" + bastion)]);
        }
        if (scope.SshBastionId is { } ssh)
        {
            yield return new("PushKey", ["ec2-instance-connect:SendSSHPublicKey"], [where.Arn("ec2", "instance/" + ssh)], ("StringEquals", "ec2:osuser", [scope.SshUser]));
        }
        if (scope.SecretArn is not null)
            yield return new("Password", ["secretsmanager:GetSecretValue"], [scope.SecretArn]);
        if (scope.SecretArn is not null && scope.SecretKeyArn is not null)
            yield return new("PasswordKey", ["kms:Decrypt"], [scope.SecretKeyArn]);
        if (scope.DatabaseResourceId is { } resource && scope.DatabaseUsers.Count > 0)
            yield return new("SignIn", ["rds-db:connect"], [.. scope.DatabaseUsers.Select(user => where.Arn("rds-db", $"dbuser:{resource}/{user}"))]);
    }
}
