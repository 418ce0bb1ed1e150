namespace Fumidai.Stacks;

/// <summary>
/// What CloudFormation does with the caller's own permissions for one plan, and what fumidai asks before and after it.
/// Source: the permissions of the resource types' handlers, and aws-facts §3.1.
/// </summary>
internal static class UpPolicy
{
    // CloudFormation names what it makes STACK-LOGICALID-RANDOM and shortens the stack's part to fit 63 or 64 characters.
    private const int NamePart = 24;

    private static readonly string[] Described =
    [
        "Vpcs", "VpcAttribute", "Subnets", "RouteTables", "VpcEndpoints", "SecurityGroups", "SecurityGroupRules", "Instances", "InstanceStatus", "InstanceAttribute",
        "InstanceCreditSpecifications", "Images", "Volumes", "NetworkInterfaces", "AvailabilityZones", "Tags", "IamInstanceProfileAssociations",
    ];

    public static IEnumerable<PolicyStatement> Statements(StackPlan plan, AccountScope where)
    {
        var options = plan.Options;
        var types = plan.Creates.Select(r => r.Type).ToHashSet(StringComparer.Ordinal);
        var name = options.Name[..Math.Min(options.Name.Length, NamePart)];
        // EC2 gives no names to limit by, and each action knows its own kinds of resources: account and region are the limit.
        var ec2 = where.Arn("ec2", "*/*");
        yield return new("Stack",
        [
            "cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet",
            "cloudformation:DescribeStackEvents", "cloudformation:ListStackResources", "cloudformation:GetTemplate", "cloudformation:DeleteStack", "cloudformation:ContinueUpdateRollback",
            "cloudformation:DetectStackDrift", "cloudformation:DescribeStackResourceDrifts", "cloudformation:TagResource",
        ], [where.Arn("cloudformation", $"stack/{options.Name}/*")]);
        yield return new("Look", [.. Looks(options, types)], ["*"]);
        yield return new("Image", ["ssm:GetParameter"], [$"arn:{where.Partition}:ssm:{where.Region}::parameter/aws/service/ami-amazon-linux-latest/*"]);
        if (types.Contains("AWS::EC2::VPC"))
        {
            yield return new("Network",
            [
                "ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute", "ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:ModifySubnetAttribute",
                "ec2:CreateInternetGateway", "ec2:DeleteInternetGateway", "ec2:AttachInternetGateway", "ec2:DetachInternetGateway",
                "ec2:CreateRouteTable", "ec2:DeleteRouteTable", "ec2:CreateRoute", "ec2:DeleteRoute", "ec2:AssociateRouteTable", "ec2:DisassociateRouteTable",
            ], [ec2]);
        }
        if (types.Contains("AWS::EC2::NatGateway"))
        {
            yield return new("Nat", ["ec2:CreateNatGateway", "ec2:DeleteNatGateway", "ec2:AllocateAddress", "ec2:ReleaseAddress", "ec2:DisassociateAddress"], [ec2]);
        }
        yield return new("Groups",
        [
            "ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress",
        ], [ec2]);
        if (types.Contains("AWS::EC2::VPCEndpoint"))
        {
            yield return new("Endpoints", ["ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint"], [ec2]);
            if (options.EffectiveEndpoints.Interfaces.Any())
                yield return new("PrivateNames", ["route53:AssociateVPCWithHostedZone"], ["*"]);
        }
        if (types.Contains("AWS::EC2::InstanceConnectEndpoint"))
        {
            yield return new("ConnectEndpoint", ["ec2:CreateInstanceConnectEndpoint", "ec2:DeleteInstanceConnectEndpoint", "ec2:CreateNetworkInterface"], [ec2]);
            yield return new("ConnectEndpointRole", ["iam:CreateServiceLinkedRole"], [$"arn:{where.Partition}:iam::{where.Account}:role/aws-service-role/ec2-instance-connect.amazonaws.com/*"],
                ("StringEquals", "iam:AWSServiceName", ["ec2-instance-connect.amazonaws.com"]));
        }
        yield return new("Bastions", ["ec2:RunInstances", "ec2:TerminateInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:ModifyInstanceAttribute"],
            [ec2, $"arn:{where.Partition}:ec2:{where.Region}::image/*"]);
        yield return new("Tags", ["ec2:CreateTags", "ec2:DeleteTags"], [ec2]);
        foreach (var statement in Role(where, name).Concat(options.BuildsCluster ? Database(where, name.ToLowerInvariant(), options.SnapshotOnDelete) : []))
            yield return statement;
    }

    private static IEnumerable<string> Looks(StackOptions options, HashSet<string> types)
    {
        // The stack's own name is not known to CloudFormation before it exists, and a drift detection has no ARN.
        yield return "cloudformation:DescribeStacks";
        yield return "cloudformation:DescribeStackDriftDetectionStatus";
        yield return "tag:GetResources";
        foreach (var what in Described)
            yield return "ec2:Describe" + what;
        if (types.Contains("AWS::EC2::InternetGateway"))
            yield return "ec2:DescribeInternetGateways";
        if (types.Contains("AWS::EC2::NatGateway"))
        {
            yield return "ec2:DescribeNatGateways";
            yield return "ec2:DescribeAddresses";
        }
        if (types.Contains("AWS::EC2::VPCEndpoint"))
            yield return "ec2:DescribeVpcEndpointServices";
        if (types.Contains("AWS::EC2::InstanceConnectEndpoint"))
            yield return "ec2:DescribeInstanceConnectEndpoints";
        yield return "rds:DescribeDBClusters";
        yield return "rds:DescribeDBInstances";
        yield return "rds:DescribeDBSubnetGroups";
        if (options.BuildsCluster)
        {
            yield return "rds:DescribeDBEngineVersions";
            yield return "rds:DescribeDBClusterSnapshots";
            yield return "rds:DescribeEvents";
        }
        // For status: whether a bastion is online, and who is connected.
        yield return "ssm:DescribeInstanceInformation";
        yield return "ssm:DescribeSessions";
    }

    private static IEnumerable<PolicyStatement> Role(AccountScope where, string name)
    {
        string[] roles = [$"arn:{where.Partition}:iam::{where.Account}:role/{name}*"];
        string[] profiles = [$"arn:{where.Partition}:iam::{where.Account}:instance-profile/{name}*"];
        yield return new("Role", ["iam:CreateRole", "iam:DeleteRole", "iam:GetRole", "iam:TagRole", "iam:UntagRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"], roles);
        // Nobody gets more by this role than a managed instance has.
        yield return new("RolePolicy", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], roles,
            ("ArnEquals", "iam:PolicyARN", [$"arn:{where.Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"]));
        yield return new("Profile", ["iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "iam:GetInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile"], [.. profiles, .. roles]);
        yield return new("GiveRole", ["iam:PassRole"], roles, ("StringEquals", "iam:PassedToService", ["ec2.amazonaws.com"]));
    }

    private static IEnumerable<PolicyStatement> Database(AccountScope where, string name, bool snapshot)
    {
        string Rds(string resource) => where.Arn("rds", resource);
        yield return new("Database",
        [
            "rds:CreateDBCluster", "rds:DeleteDBCluster", "rds:ModifyDBCluster", "rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:ModifyDBInstance",
            "rds:CreateDBSubnetGroup", "rds:DeleteDBSubnetGroup", "rds:ModifyDBSubnetGroup", "rds:EnableHttpEndpoint", "rds:DisableHttpEndpoint",
            "rds:AddTagsToResource", "rds:RemoveTagsFromResource", "rds:ListTagsForResource",
        ], [Rds($"cluster:{name}*"), Rds($"db:{name}*"), Rds($"subgrp:{name}*"), Rds("cluster-pg:default.*"), Rds("pg:default.*"), Rds("og:default:*")]);
        if (snapshot)
            yield return new("Snapshot", ["rds:CreateDBClusterSnapshot", "rds:AddTagsToResource"], [Rds($"cluster:{name}*"), Rds($"cluster-snapshot:{name}*")]);
        yield return new("MasterSecret", ["secretsmanager:CreateSecret", "secretsmanager:TagResource"], [where.Arn("secretsmanager", "secret:rds!cluster-*")]);
        yield return new("Key", ["kms:DescribeKey"], [where.Arn("kms", "key/*")]);
        yield return new("ServiceRole", ["iam:CreateServiceLinkedRole"], [$"arn:{where.Partition}:iam::{where.Account}:role/aws-service-role/rds.amazonaws.com/*"],
            ("StringEquals", "iam:AWSServiceName", ["rds.amazonaws.com"]));
    }
}
