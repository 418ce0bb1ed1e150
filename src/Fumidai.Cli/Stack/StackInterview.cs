using System.Globalization;
using Fumidai.Aws;
using Fumidai.Stacks;

namespace Fumidai.Cli;

/// <summary>Asks what was not said about a new stack. The first answer is always the sensible one.</summary>
internal sealed class StackInterview(IQuestions questions, StackRun stack, StackChoices choices)
{
    internal async Task<StackOptions> AskAsync(StackOptions options)
    {
        if (!choices.Has(StackWord.Cluster) && !choices.Has(StackWord.Vpc))
            options = await AskClusterAsync(options);
        if (!choices.Has(StackWord.Pattern))
            options = options with { Pattern = await AskPatternAsync() };
        if (!choices.Has(StackWord.Endpoints) && options is { HasPrivateBastion: true, HasConnectEndpoint: false })
            options = options with { Endpoints = await AskEndpointsAsync(options) };
        else if (!options.HasPrivateBastion && !choices.Has(StackWord.Endpoints))
            options = options with { Endpoints = null };
        if (!choices.Has(StackWord.MinAcu) && !choices.Has(StackWord.MaxAcu) && options.BuildsCluster)
            options = options with { MinAcu = await AskCapacityAsync() };
        return options;
    }

    private async Task<StackOptions> AskClusterAsync(StackOptions options)
    {
        stack.Screen.Waiting($"Asking AWS for the databases of {stack.Region}");
        var clusters = (await FindTargets.ListAsync(stack.Access, stack.Token)).Where(d => d is { Kind: DatabaseKind.Cluster, IsPostgres: true, VpcId: not null }).ToList();
        stack.Screen.Waiting(null);
        if (clusters.Count == 0)
            return options;
        List<string> answers = ["a new Aurora PostgreSQL, in a VPC of its own", .. clusters.Select(c => $"{c.Id}, which I have ({c.Engine}, {c.Status}, in {c.VpcId})")];
        var chosen = await questions.ChooseAsync("Which database?", answers, stack.Token);
        return chosen == 0 ? options : options with { Cluster = clusters[chosen - 1].Id };
    }

    private async Task<StackPattern> AskPatternAsync()
    {
        (StackPattern Pattern, string Text)[] all =
        [
            (StackPattern.Private, "private: Session Manager, no inbound rule at all"),
            (StackPattern.Eice, "eice: SSH through an Instance Connect Endpoint, free by the hour, inbound from it alone"),
            (StackPattern.Public, "public: SSH, from your present address only"),
            (StackPattern.Both, "both"),
        ];
        return all[await questions.ChooseAsync("Which bastion?", [.. all.Select(a => a.Text)], stack.Token)].Pattern;
    }

    private async Task<EndpointChoice> AskEndpointsAsync(StackOptions options)
    {
        var all = new List<(EndpointChoice Choice, string Text)>
        {
            (EndpointChoice.Default, $"endpoints for ssm and ssmmessages, the bastion has no public address{Price("endpoint-hour", EndpointChoice.Default.Interfaces.Count() * options.EndpointZones)}"),
            (EndpointChoice.None, options.BuildsVpc ? $"a public subnet without any inbound rule{Price("ipv4-hour", 1)}, only while the bastion runs" : "nothing: the VPC has a way out, or a public subnet to stand in"),
        };
        if (options.BuildsVpc)
            all.Add((EndpointChoice.Nat, $"a NAT gateway{Price("nat-hour", 1)}"));
        return all[await questions.ChooseAsync("How does the private bastion reach Session Manager?", [.. all.Select(a => a.Text)], stack.Token)].Choice;
    }

    private async Task<decimal> AskCapacityAsync()
    {
        (decimal Acu, string Text)[] all =
        [
            (0, "let it pause: no capacity is billed then; the first connection wakes it in about 15 seconds"),
            (0.5m, $"keep 0.5 ACU awake{Price("acu-hour", 0.5m)}"),
        ];
        return all[await questions.ChooseAsync("When nobody uses the database?", [.. all.Select(a => a.Text)], stack.Token)].Acu;
    }

    private string Price(string item, decimal quantity) => PriceTable.Shipped.Of(stack.Region, item) is { Usd: { } usd, AsOf: var asOf }
        ? string.Create(CultureInfo.InvariantCulture, $": {usd * quantity * MonthlyCost.HoursPerMonth:0.00} USD a month ({stack.Region}, {asOf})")
        : $": price not known in {stack.Region}";
}
