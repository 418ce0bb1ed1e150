namespace Fumidai.Lab;

/// <summary>AWS managed policies that the lab knows (aws-facts §2.5). Attaching another answers NoSuchEntity.</summary>
internal static class ManagedPolicies
{
    public const string CoreArn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

    private const string Messages = """
        {"Effect":"Allow","Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Resource":"*"},
        {"Effect":"Allow","Action":["ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"],"Resource":"*"}
        """;

    private const string Ssm = """
        "ssm:DescribeAssociation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest",
        "ssm:ListAssociations","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult",
        "ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation"
        """;

    private static readonly Dictionary<string, string> s_documents = new(StringComparer.Ordinal)
    {
        [CoreArn] = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[{{Ssm}},"ssm:GetParameter","ssm:GetParameters"],"Resource":"*"},{{Messages}}]}""",
        ["arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy"] = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[{{Ssm}}],"Resource":"*"},{{Messages}}]}""",
        ["arn:aws:iam::aws:policy/AdministratorAccess"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""",
    };

    /// <summary>The document; null: not known here.</summary>
    public static string? Find(string arn) => s_documents.GetValueOrDefault(arn);
}
