namespace Fumidai.Aws;

/// <summary>One AWS service as a caller must know it. Source: aws-facts §1.</summary>
/// <param name="Id">Service id: names <c>AWS_ENDPOINT_URL_ID</c> and the key in <c>services</c> sections.</param>
/// <param name="EndpointPrefix">First part of its host names.</param>
/// <param name="Iam">Prefix of its actions, as operations are named to the user (<c>ssm:StartSession</c>).</param>
/// <param name="ApiVersion">Version in query requests.</param>
/// <param name="TargetPrefix">Prefix of <c>X-Amz-Target</c>; null: the query protocol.</param>
internal sealed record AwsService(string Id, string EndpointPrefix, string Iam, string ApiVersion = "", string? TargetPrefix = null)
{
    public static readonly AwsService Ssm = new("SSM", "ssm", "ssm");
    public static readonly AwsService Ec2 = new("EC2", "ec2", "ec2");
    public static readonly AwsService Sts = new("STS", "sts", "sts");
    public static readonly AwsService Kms = new("KMS", "kms", "kms");
    public static readonly AwsService Sso = new("SSO", "portal.sso", "sso");
    public static readonly AwsService SsoOidc = new("SSO OIDC", "oidc", "sso-oidc");
    public static readonly AwsService Rds = new("RDS", "rds", "rds", "2014-10-31");
    public static readonly AwsService SecretsManager = new("Secrets Manager", "secretsmanager", "secretsmanager", "2017-10-17", "secretsmanager");
    public static readonly AwsService CloudFormation = new("CloudFormation", "cloudformation", "cloudformation", "2010-05-15");
    public static readonly AwsService Tagging = new("Resource Groups Tagging API", "tagging", "tag", "2017-01-26", "ResourceGroupsTaggingAPI_20170126");
    public static readonly AwsService InstanceConnect = new("EC2 Instance Connect", "ec2-instance-connect", "ec2-instance-connect", "2018-04-02", "AWSEC2InstanceConnectService");

    /// <summary>REST: the path names the operation.</summary>
    public static readonly AwsService RdsData = new("RDS Data", "rds-data", "rds-data", "2018-08-01");

    public override string ToString() => Id;
}
