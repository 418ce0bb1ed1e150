using System.Globalization;
using System.Text;

namespace Fumidai.Stacks;

/// <summary>A resource a plan builds.</summary>
/// <param name="LogicalId">Name in the template.</param>
/// <param name="Type">CloudFormation type.</param>
public sealed record PlannedResource(string LogicalId, string Type);

/// <summary>One stack, thought through: its template, parameters and tags, what it creates, and what it cannot undo. Asks AWS nothing.</summary>
public sealed record StackPlan
{
    /// <summary>The tag by which a stack and all in it are known to be ours; its value is the stack's name.</summary>
    public const string OwnerTag = "fumidai:stack";

    /// <summary>The most CloudFormation takes as text, in bytes (aws-facts §1, CloudFormation).</summary>
    public const int TemplateLimit = 51_200;

    private StackPlan(StackOptions options, StackSite site, string? image) => (Options, Site, Image) = (options, site, image);

    /// <summary>What was asked for.</summary>
    public StackOptions Options { get; }
    /// <summary>What it is built on.</summary>
    public StackSite Site { get; }
    /// <summary>The bastions' image; null: the newest, by AWS's public parameter.</summary>
    public string? Image { get; }
    /// <summary>Stack's name.</summary>
    public string Name => Options.Name;
    /// <summary>The template; its defaults are this plan's values, so it can be deployed as it is.</summary>
    public required string Template { get; init; }
    /// <summary>Every parameter of the template with its value.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }
    /// <summary>What CloudFormation wants to hear said: <c>CAPABILITY_IAM</c>, for the bastion's role.</summary>
    public IReadOnlyList<string> Capabilities { get; } = ["CAPABILITY_IAM"];
    /// <summary>Tags of the stack: <see cref="OwnerTag"/> and the user's own.</summary>
    public required IReadOnlyDictionary<string, string> Tags { get; init; }
    /// <summary>Every resource of the template.</summary>
    public required IReadOnlyList<PlannedResource> Creates { get; init; }
    /// <summary>What a later command cannot change or give back, in sentences.</summary>
    public required IReadOnlyList<string> CannotUndo { get; init; }
    /// <summary>What the user should know besides.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }
    /// <summary>Whether the private bastion stands in a public subnet.</summary>
    public bool IsPrivateBastionOutside => StandsOutside(Options, Site);

    /// <summary>Composes the plan.</summary>
    /// <exception cref="StackFailure">Usage: something is wrong with the options, or the site lacks what they need.</exception>
    public static StackPlan Compose(StackOptions options, StackSite site) => Compose(options.Checked(), site, null);

    /// <summary>The same plan with the bastions' image fixed, so that a newer one does not replace them.</summary>
    public StackPlan WithImage(string imageId) => Compose(Options, Site, imageId);

    private static StackPlan Compose(StackOptions options, StackSite site, string? image)
    {
        CheckSite(options, site);
        var words = Words(options, site, image);
        var tags = options.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"- {{ Key: {TemplateComposer.Quoted(t.Key)}, Value: {TemplateComposer.Quoted(t.Value)} }}").ToList();
        var (text, parameters, resources) = TemplateComposer.Compose(Describe(options, site), [.. Parts(options, site).Select(p => TemplatePart.Read(p, words, tags))],
            Without(options), PlanValues.Of(options, site, image));
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > TemplateLimit)
            throw StackFailure.Usage($"with these tags the template has {bytes.ToString(CultureInfo.InvariantCulture)} bytes, and CloudFormation takes {TemplateLimit.ToString(CultureInfo.InvariantCulture)}", "Use fewer or shorter tags");
        return new StackPlan(options, site, image)
        {
            Template = text,
            Parameters = parameters,
            Tags = new SortedDictionary<string, string>(options.Tags.ToDictionary(), StringComparer.Ordinal) { [OwnerTag] = options.Name },
            Creates = [.. resources.Select(r => new PlannedResource(r.Name, r.Type))],
            CannotUndo = PlanWarnings.CannotUndo(options),
            Remarks = [.. site.Remarks, .. PlanWarnings.Remarks(options, site)],
        };
    }

    private static bool StandsOutside(StackOptions options, StackSite site) =>
        options.HasPrivateBastion && !options.HasConnectEndpoint && options.EffectiveEndpoints.IsNone && (site.VpcId is null || site.PublicSubnet is not null);

    private static IEnumerable<string> Parts(StackOptions options, StackSite site)
    {
        var endpoints = options.EffectiveEndpoints;
        if (site.VpcId is null)
            yield return "network.yaml";
        if (endpoints.IsNat)
            yield return "nat.yaml";
        yield return "groups.yaml";
        if (endpoints.Interfaces.Any())
            yield return "endpoints.yaml";
        if (endpoints.Services.Contains("s3"))
            yield return "s3.yaml";
        yield return options.BuildsCluster ? "aurora.yaml" : "attach.yaml";
        yield return "role.yaml";
        if (options.HasPrivateBastion)
            yield return "bastion-private.yaml";
        if (options.HasConnectEndpoint)
            yield return "connect-endpoint.yaml";
        if (options.HasPublicBastion)
            yield return "bastion-public.yaml";
    }

    internal static HashSet<string> Words(StackOptions options, StackSite site, string? image)
    {
        var endpoints = options.EffectiveEndpoints;
        var words = new HashSet<string>(endpoints.Services, StringComparer.Ordinal);
        void When(bool condition, string word)
        {
            if (condition)
                words.Add(word);
        }
        var outside = StandsOutside(options, site);
        When(site.VpcId is null, "new-vpc");
        When(endpoints.IsNat, "nat");
        When(outside, "outside");
        When(outside && site.VpcId is null, "new-outside");
        When(endpoints.Interfaces.Any() || endpoints.IsNat || outside && site.VpcId is null, "waits");
        When(options.EndpointZones == 1, "one-zone");
        When(!options.SnapshotOnDelete, "discard");
        When(options.MinAcu > 0, "never-pauses");
        When(image is not null, "image");
        return words;
    }

    private static HashSet<string> Without(StackOptions options)
    {
        var services = options.EffectiveEndpoints.Services;
        return [.. new[] { ("ssm", "SsmEndpoint"), ("ssmmessages", "SsmMessagesEndpoint"), ("ec2messages", "Ec2MessagesEndpoint") }.Where(e => !services.Contains(e.Item1)).Select(e => e.Item2)];
    }

    private static string Describe(StackOptions options, StackSite site)
    {
        var bastions = options.Pattern switch { StackPattern.Private => "a private bastion", StackPattern.Public => "a public bastion", StackPattern.Eice => "a private bastion behind an Instance Connect Endpoint", _ => "a private and a public bastion" };
        return $"fumidai: {bastions}, {(options.BuildsCluster ? "Aurora PostgreSQL Serverless v2" : "a way to an existing cluster")}{(site.VpcId is null ? ", in a VPC of their own" : "")}";
    }

    private static void CheckSite(StackOptions options, StackSite site)
    {
        if (options.BuildsVpc != site.VpcId is null)
            throw StackFailure.Usage(options.BuildsVpc ? "the site has a VPC that the options do not name" : "nothing is known yet of the VPC to build in");
        if (!options.BuildsCluster && site.ClusterGroup is null)
            throw StackFailure.Usage($"nothing is known yet of cluster {options.Cluster}");
        if (site.VpcId is null)
            return;
        var endpoints = options.EffectiveEndpoints;
        var needed = options.BuildsCluster || endpoints.Interfaces.Any() && options.EndpointZones == 2 ? 2
            : endpoints.Interfaces.Any() || options.HasPrivateBastion && !StandsOutside(options, site) ? 1 : 0;
        if (site.PrivateSubnets.Count < needed)
            throw StackFailure.Usage($"{site.VpcId} has {(site.PrivateSubnets.Count == 0 ? "no subnet" : "one subnet")} to use, and {(needed == 2 ? "two in different zones are" : "one is")} needed", "Name them with --subnets");
        if (options.HasPublicBastion && site.PublicSubnet is null)
            throw StackFailure.Usage($"{site.VpcId} has no subnet with a route to an internet gateway to use, which a public bastion needs", "Name one with --subnets, or use --pattern private");
        if (endpoints.Services.Contains("s3") && site.PrivateRouteTable is null)
            throw StackFailure.Usage($"the route table of the subnets of {site.VpcId} is not known, which an S3 endpoint needs");
    }
}
