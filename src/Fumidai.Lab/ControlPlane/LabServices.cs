namespace Fumidai.Lab;

/// <summary>The services that live in the control plane alone.</summary>
internal static class LabServices
{
    public static IReadOnlyList<IAwsService> Of(LabContext context) =>
    [
        new StsService(context),
        new IamService(context),
        new Ec2Service(context),
        new RdsService(context),
        new SecretsManagerService(context),
    ];
}
