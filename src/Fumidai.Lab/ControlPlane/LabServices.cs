namespace Fumidai.Lab;

/// <summary>The services that live in the control plane alone.</summary>
internal static class LabServices
{
    public static IReadOnlyList<IAwsService> Of(LabContext context)
    {
        IAwsService[] builders = [new IamService(context), new Ec2Service(context), new RdsService(context)];
        return [new StsService(context), .. builders, new SecretsManagerService(context), new CloudFormationService(context, builders), new TaggingService(context), new PricingService()];
    }
}
