namespace Fumidai.Cli;

/// <summary>The verbs that exist, in the order in which help shows them.</summary>
internal static class Verbs
{
    internal static readonly VerbSpec[] All =
    [
        TargetsCommand.Spec, ConnectCommand.Spec, TunnelCommand.Spec, ExecCommand.Spec, SqlCommand.Spec, UpCommand.Spec, StatusCommand.Spec, DownCommand.Spec, DoctorCommand.Spec, CostCommand.Spec, DiagramCommand.Spec, PolicyCommand.Spec,
        LabCommand.Spec, PluginInstallCommand.Spec,
    ];
}
