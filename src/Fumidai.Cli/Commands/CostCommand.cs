using System.Globalization;
using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary><c>fumidai cost</c>: what each architecture costs a month.</summary>
internal sealed record CostCommand(CostQuestion Question, CostForm Form, bool OnlyPrices, bool Refreshes, bool OfStack, string? Name, CommandLineSettings Settings, OutputMode Output) : ICommand
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
            What is not known is said to be unknown and never counted as nothing. With --stack: what a
            stack of fumidai up has cost this month and will cost as it runs now. See docs/cost.md.
            """,
        Options = [.. CostOptions.OfUsage, CostOptions.Prices, CostOptions.Refresh, CostOptions.Stack, StackWord.Name.Option, .. Options.OfAws, Options.Config, CostOptions.Svg, CostOptions.Csv, .. Options.OfOutput],
        Examples =
        [
            ("fumidai cost", "the region of your profile, 8 hours a day, 1 GB a month"),
            ("fumidai cost --region us-east-1 --hours-a-day 2 --gb 20 --zones 1", "another region, fewer hours, more bytes"),
            ("fumidai cost --svg", "the chart as a picture, on stdout"),
            ("fumidai cost --stack --name reports", "what this stack has cost since the month began"),
            ("fumidai cost --prices --csv", "the prices behind it, for a spreadsheet"),
        ],
        Create = Create,
    };

    public bool EventsOnOutput => true;

    public async Task<int> RunAsync(Run run)
    {
        var settings = Fumidai.Settings.Load(Settings, run.Surroundings.WorkingDirectory, run.Surroundings.Environment);
        var region = AwsAccess.FindRegion(settings.Aws);
        if (OfStack)
            return await PrintStacksAsync(run, settings);
        if (region is null)
            run.Screen.Note($"No region is named; these are the prices of {DefaultRegion}. --region names another.");
        region ??= DefaultRegion;
        var prices = Refreshes ? await RefreshedAsync(run, settings, region) : PriceTable.Shipped;
        if (OnlyPrices)
            PrintPrices(run, prices, region);
        else
            Print(run, Question.Compare(prices, region));
        return ExitCodes.Success;
    }

    private static async Task<PriceTable> RefreshedAsync(Run run, Settings settings, string region)
    {
        try
        {
            using var access = AwsAccess.Open(settings.Aws with { Region = region }, run.Surroundings.Time);
            run.Screen.Waiting("Asking the Price List API");
            var refreshed = await RefreshPrices.AskAsync(access, PriceTable.Shipped, region, run.Stop.Token);
            run.Screen.Waiting(null);
            foreach (var price in refreshed.Prices.Where(p => PriceTable.Shipped.Of(region, p.Item).Usd != p.Usd))
                run.Screen.Note(FormattableString.Invariant($"{price.Item}: {PriceTable.Shipped.Of(region, price.Item).Usd?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} is now {price.Usd} USD ({price.AsOf})"));
            if (refreshed.Missing.Count > 0)
                run.Screen.Note($"The Price List API has no single price of {string.Join(", ", refreshed.Missing)} in {region}; there the shipped ones stand.");
            return PriceTable.Shipped.With(refreshed.Prices);
        }
        catch (AwsFailure f)
        {
            run.Screen.Waiting(null);
            run.Screen.LastWord($"The prices could not be refreshed, these are the shipped ones: {f.Message}");
            return PriceTable.Shipped;
        }
    }

    private async Task<int> PrintStacksAsync(Run run, Settings settings)
    {
        using var access = AwsAccess.Open(settings.Aws, run.Surroundings.Time);
        var stack = new StackRun(run, settings, access);
        run.Screen.Waiting($"Looking for stacks in {access.Region}");
        var prices = Refreshes ? await RefreshedAsync(run, settings, access.Region) : PriceTable.Shipped;
        IReadOnlyList<string> names = Name is not null ? [Name] : [.. (await StackStatus.ListAsync(access, run.Stop.Token)).Select(s => s.Id)];
        var bills = new List<StackBill>();
        foreach (var name in names)
            bills.Add(StackBill.Of(await StackReport.AskAsync(stack, name, withDrift: false), prices));
        run.Screen.Waiting(null);
        if (Form == CostForm.Json)
            run.Screen.Result(StackBill.Json(bills));
        else if (Form == CostForm.Csv)
            foreach (var line in StackBill.Csv(bills))
                run.Screen.Result(line);
        else if (bills.Count == 0)
            run.Screen.Note($"fumidai has built nothing in {access.Region}.");
        else
            foreach (var line in bills.SelectMany((b, i) => i == 0 ? b.Lines() : b.Lines().Prepend("")))
                run.Screen.Result(Visible.Indented(line));
        return ExitCodes.Success;
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
        var ofStack = typed.Has(CostOptions.Stack);
        if (ofStack && (onlyPrices || typed.Has(CostOptions.Svg)))
            throw new FumidaiException(Reason.Usage, $"{(onlyPrices ? "--prices" : "--svg")} does not go with --stack", next: "fumidai diagram --svg draws what there is");
        if (ofStack && Array.Find(CostOptions.OfUsage, typed.Has) is { } assumed)
            throw new FumidaiException(Reason.Usage, $"{assumed.Name} does not go with --stack", next: "A stack is counted as it is");
        if (!ofStack && typed.Has(StackWord.Name.Option))
            throw new FumidaiException(Reason.Usage, "--name goes with --stack", next: "Write fumidai cost --stack --name NAME");
        var form = forms is [var only] ? only == Options.Json ? CostForm.Json : only == CostOptions.Csv ? CostForm.Csv : CostForm.Svg : CostForm.Table;
        return new CostCommand(CostQuestion.Of(typed), form, onlyPrices, typed.Has(CostOptions.Refresh), ofStack, typed.Value(StackWord.Name.Option), typed.Settings, typed.Output);
    }
}
