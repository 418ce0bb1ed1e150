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

    public static readonly AwsService IdentityAccess = new("IAM", "iam", "iam", "2010-05-08") { HomeRegion = "us-east-1", IsGlobal = true };
    public static readonly AwsService Pricing = new("Pricing", "api.pricing", "pricing", "2017-10-15", "AWSPriceListService") { HomeRegion = "us-east-1", SigningName = "pricing" };

    /// <summary>The region it lives in and is signed for; null: every region has its own (aws-facts §1.19, §1.20).</summary>
    public string? HomeRegion { get; init; }

    /// <summary>Its host name names no region.</summary>
    public bool IsGlobal { get; init; }

    /// <summary>The service in a signature's scope; null: the endpoint prefix.</summary>
    public string? SigningName { get; init; }

    public override string ToString() => Id;
}
