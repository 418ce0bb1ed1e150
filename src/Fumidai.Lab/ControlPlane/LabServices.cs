namespace Fumidai.Lab;

/// <summary>The services that live in the control plane alone.</summary>
internal static class LabServices
{
    public static IReadOnlyList<IAwsService> Of(LabContext context) => [];
}
