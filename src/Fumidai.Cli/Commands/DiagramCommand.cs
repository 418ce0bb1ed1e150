using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai diagram [TARGET]</c>: the picture of the topology, with doctor's verdict on each hop.</summary>
internal sealed record DiagramCommand(string? Target, OptionSpec Form, bool Proves, CommandLineSettings Settings, OutputMode Output) : ICommand
{
    private static readonly OptionSpec Terminal = new("--terminal", null, "for this terminal (default)", OptionGroup.Output);
    private static readonly OptionSpec Svg = new("--svg", null, "an SVG picture, for slides and pages, light and dark", OptionGroup.Output);
    private static readonly OptionSpec Mermaid = new("--mermaid", null, "a Mermaid flowchart, for Markdown", OptionGroup.Output);
    private static readonly OptionSpec Html = new("--html", null, "one page with the picture, the verdicts and the costs", OptionGroup.Output);
    private static readonly OptionSpec Prove = new("--prove", null, "try what looks sound, as doctor does: sessions are opened, a paused database wakes", OptionGroup.Output);

    internal static readonly VerbSpec Spec = new()
    {
        Name = "diagram",
        Summary = "the picture of the path: zones, subnets, doors, routes, verdicts, costs",
        Usage = "[TARGET] [--terminal|--svg|--mermaid|--html]",
        Description = """
            Draws the topology as it is: laptop, internet, VPC, zones, subnets, security groups as doors,
            endpoints, bastions, the database, and each route through it, every hop with doctor's verdict
            and every paid part with what it costs a month. It reads and changes nothing.
            """,
        Targets = TargetCount.Optional,
        Options = [Options.Via, Options.Bastion, Terminal, Svg, Mermaid, Html, Prove, .. Options.OfAws, Options.Config, Options.Quiet, Options.Verbose],
        Examples =
        [
            ("fumidai diagram cluster/app", "here and now"),
            ("fumidai diagram cluster/app --svg", "a picture for a slide, on stdout"),
            ("fumidai diagram app --mermaid --via ssm", "one route, for a README"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        if (Target is not null)
            TargetCatalog.CheckName(settings, Target);
        var report = await new Examination(run, Settings, Target).AskAsync(settings, Proves);
        if (report.Topology is not { } topology)
        {
            var finding = report.Findings[0];
            throw new FumidaiException(finding.Reason, finding.What, finding.Evidence, finding.Fix.Command);
        }
        var picture = Picture.Of(topology, report.Routes, PartPrices.Of(topology, PriceTable.Shipped));
        if (Form == Svg)
            run.Screen.Result(PictureSvg.Of(picture));
        else if (Form == Mermaid)
            run.Screen.Result(PictureMermaid.Of(picture));
        else if (Form == Html)
            run.Screen.Result(PictureHtml.Of(picture));
        else
            foreach (var line in PictureText.Of(picture, run.Surroundings.OutputColumns ?? CostTable.DefaultWidth, run.Surroundings.ResultsUseColor))
                run.Screen.Result(line);
        return ExitCodes.Success;
    }

    private static DiagramCommand Create(Typed typed)
    {
        OptionSpec[] forms = [.. new[] { Terminal, Svg, Mermaid, Html }.Where(typed.Has)];
        if (forms.Length > 1)
            throw new FumidaiException(Reason.Usage, $"{forms[0].Name} and {forms[1].Name} do not go together", next: "Give one of --terminal, --svg, --mermaid, --html");
        return new DiagramCommand(typed.Targets is [var target] ? target : null, forms is [var only] ? only : Terminal, typed.Has(Prove), typed.Settings, typed.Output);
    }
}
