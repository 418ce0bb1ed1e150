using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>Writes a plan as files to review and keep.</summary>
internal static class StackExport
{
    /// <summary>Whether these words alone say everything: nothing that exists is built on, and nobody's address is needed.</summary>
    internal static bool NeedsNoAws(StackChoices choices) => choices.Over((StackOptions?)null) is { BuildsVpc: true, HasPublicBastion: false };

    /// <exception cref="FumidaiException">Failed: the file is there and says something else.</exception>
    internal static int Write(Run run, UpOptions how, StackPlan plan)
    {
        var folder = Path.GetFullPath(how.ExportFolder ?? ".", run.Surroundings.WorkingDirectory);
        var (path, text) = how.ExportAs == "terraform"
            ? (Path.Combine(folder, $"{plan.Name}.tf"), ExportTerraform.Render(plan))
            : (Path.Combine(folder, $"{plan.Name}.template.yaml"), plan.Template);
        if (File.Exists(path) && !how.MayOverwrite && File.ReadAllText(path) != text)
            throw new FumidaiException(Reason.Failed, $"{path} exists and is not what would be written", next: "Add --force to overwrite it, or choose another folder with --dir");
        Directory.CreateDirectory(folder);
        File.WriteAllText(path, text);
        run.Screen.Waiting(null);
        if (run.Screen.Mode.Json)
            run.Screen.Report(new TunnelEvent("exported", $"{path} was written", new Dictionary<string, string>(StringComparer.Ordinal) { ["path"] = path, ["format"] = how.ExportAs! }));
        else
            run.Screen.Result(path);
        run.Screen.Note(how.ExportAs == "terraform"
            ? $"Next, in {folder}: terraform init && terraform plan"
            : $"To deploy it without fumidai: aws cloudformation deploy --stack-name {plan.Name} --template-file {Exports.Quoted(path)} --capabilities CAPABILITY_IAM --tags {StackPlan.OwnerTag}={plan.Name}");
        return ExitCodes.Success;
    }
}
