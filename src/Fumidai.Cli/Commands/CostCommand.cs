using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai cost</c>: what each architecture costs a month.</summary>
internal sealed record CostCommand(CostQuestion Question, CostForm Form, bool OnlyPrices, CommandLineSettings Settings, OutputMode Output) : ICommand
{
    /// <summary>The region of the article this project began with: what is shown where nobody names one.</summary>
    private const string DefaultRegion = "ap-northeast-1";

    internal static readonly VerbSpec Spec = new()
    {
        Name = "cost",
        Summary = "what each architecture costs a month, and why one would pick it",
        Usage = "[--options]",
        Description = """
            Compares the ways to a private database, and the databases, for your region, hours and
            gigabytes: cheapest first, with the reasons to pick each. Without an AWS account: the prices
            are those shipped with this version, each with its date and source (--prices shows them).
            What is not known is said to be unknown and never counted as nothing. See docs/cost.md.
            """,
        Options = [.. CostOptions.OfUsage, CostOptions.Prices, .. Options.OfAws, Options.Config, CostOptions.Svg, CostOptions.Csv, .. Options.OfOutput],
        Examples =
        [
            ("fumidai cost", "the region of your profile, 8 hours a day, 1 GB a month"),
            ("fumidai cost --region us-east-1 --hours-a-day 2 --gb 20 --zones 1", "another region, fewer hours, more bytes"),
            ("fumidai cost --svg", "the chart as a picture, on stdout"),
            ("fumidai cost --prices --csv", "the prices behind it, for a spreadsheet"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => true;

    public Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        var region = AwsAccess.FindRegion(settings.Aws);
        if (region is null)
            run.Screen.Note($"No region is named; these are the prices of {DefaultRegion}. --region names another.");
        region ??= DefaultRegion;
        if (OnlyPrices)
            PrintPrices(run, PriceTable.Shipped, region);
        else
            Print(run, Question.Compare(PriceTable.Shipped, region));
        return Task.FromResult(ExitCodes.Success);
    }

    private void Print(Run run, CostComparison comparison)
    {
        var screen = run.Screen;
        switch (Form)
        {
            case CostForm.Json:
                screen.Result(CostJson.Of(comparison, Question));
                break;
            case CostForm.Csv:
                foreach (var line in CostCsv.Of(comparison))
                    screen.Result(line);
                break;
            case CostForm.Svg:
                screen.Result(CostChart.Of(comparison, Question));
                break;
            default:
                foreach (var line in new CostTable(comparison, Question, run.Surroundings.OutputColumns ?? CostTable.DefaultWidth, run.Surroundings.ResultsUseColor).Lines())
                    screen.Result(line);
                break;
        }
    }

    private void PrintPrices(Run run, PriceTable prices, string region)
    {
        var rows = prices.All.Where(p => p.Region == region).ToList();
        if (rows.Count == 0)
            throw new FumidaiException(Reason.NotFound, $"the table has no price of {region}", next: $"It has {string.Join(", ", prices.Regions.Order(StringComparer.Ordinal))}");
        IEnumerable<string> lines = Form switch
        {
            CostForm.Json => [CostJson.Prices(rows)],
            CostForm.Csv => CostCsv.Prices(rows),
            _ => CostTable.Prices(rows),
        };
        foreach (var line in lines)
            run.Screen.Result(line);
    }

    private static CostCommand Create(Typed typed)
    {
        OptionSpec[] forms = [.. new[] { Options.Json, CostOptions.Csv, CostOptions.Svg }.Where(typed.Has)];
        if (forms.Length > 1)
            throw new FumidaiException(Reason.Usage, $"{forms[0].Name} and {forms[1].Name} do not go together", next: "Give one of --json, --csv, --svg");
        var onlyPrices = typed.Has(CostOptions.Prices);
        if (onlyPrices && typed.Has(CostOptions.Svg))
            throw new FumidaiException(Reason.Usage, "--svg does not go with --prices", next: "Give one of them");
        var form = forms is [var only] ? only == Options.Json ? CostForm.Json : only == CostOptions.Csv ? CostForm.Csv : CostForm.Svg : CostForm.Table;
        return new CostCommand(CostQuestion.Of(typed), form, onlyPrices, typed.Settings, typed.Output);
    }
}
