using System.Net;
using System.Xml.Linq;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Tests;

/// <summary>The picture of a topology: what stands where, how routes run, what each hop's verdict and price is, in each of its forms.</summary>
public sealed class PictureTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void A_private_bastion_is_reached_through_Session_Manager_and_its_endpoints()
    {
        var picture = Draw(Mission());

        Assert.Equal(["laptop>aws", "aws>endpoints:subnet-a", "endpoints:subnet-a>i-1", "i-1>cluster/app"], picture.Links.Select(l => $"{l.From}>{l.To}"));
        Assert.All(picture.Links, l => Assert.Equal(HopState.Good, l.State));
        Assert.Equal(["ap-northeast-1a", "ap-northeast-1c"], picture.Zones.Select(z => z.Name));
        Assert.Equal(["2 endpoints", "bastion", "cluster/app"], picture.Zones[0].Subnets.SelectMany(s => s.Parts).Select(p => p.Title));
        Assert.Equal(["5432 from bastion"], picture.Parts.Single(p => p.Id == "cluster/app").Doors);
        Assert.Equal(["443 from bastion"], picture.Parts.Single(p => p.Id == "endpoints:subnet-a").Doors);
    }

    [Fact]
    public void A_hop_has_doctor_s_verdict_and_what_lies_behind_it_is_not_reached()
    {
        var picture = Draw(Mission(), Hop.Network);

        Assert.Equal([HopState.Good, HopState.Good, HopState.Good, HopState.Broken], picture.Links.Select(l => l.State));
        Assert.Equal(HopState.Unreached, picture.Parts.Single(p => p.Id == "cluster/app").State);
        Assert.Equal((false, "ssm: the door is shut: sg-db lets nobody in"), Assert.Single(picture.Verdicts));
        Assert.Contains("━✗▶ cluster/app", string.Join('\n', PictureText.Of(picture, 100, false)), StringComparison.Ordinal);
        Assert.Contains("class=\"link broken\"", PictureSvg.Of(picture), StringComparison.Ordinal);
        Assert.Contains("✗", PictureMermaid.Of(picture), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_endpoints_the_route_runs_through_the_NAT_gateway_and_its_internet_gateway()
    {
        var mission = Mission();
        var picture = Draw(mission with
        {
            Endpoints = [],
            InternetGateways = ["igw-1"],
            Nats = [new("nat-1", "subnet-p", "available", null, true)],
            Subnets = [.. mission.Subnets, new("subnet-p", "ap-northeast-1a", "10.0.0.0/24", "public")],
            RouteTables = [new("rtb-1", true, [], [new("0.0.0.0/0", "nat-1", false)]), new("rtb-2", false, ["subnet-p"], [new("0.0.0.0/0", "igw-1", false)])],
        });

        Assert.Equal(["laptop>aws", "aws>igw-1", "igw-1>nat-1", "nat-1>i-1", "i-1>cluster/app"], picture.Links.Select(l => $"{l.From}>{l.To}"));
        Assert.Contains(picture.Zones[0].Subnets, s => s.Label == "public  10.0.0.0/24  public");
    }

    [Fact]
    public void Each_paid_part_has_its_price_and_an_unknown_one_is_never_counted_as_nothing()
    {
        var known = Draw(Mission());
        var unknown = Picture.Of(Mission(), [Route(null)], new Dictionary<string, decimal?> { ["vpce-1"] = 10.22m, ["vpce-2"] = null, ["i-1"] = 4.71m });

        Assert.Equal("20.44 USD a month", known.Parts.Single(p => p.Id == "endpoints:subnet-a").Cost);
        Assert.Equal("4.71 USD a month", known.Parts.Single(p => p.Id == "i-1").Cost);
        Assert.Equal(25.15m, known.KnownUsd);
        Assert.Equal("price not known", unknown.Parts.Single(p => p.Id == "endpoints:subnet-a").Cost);
        Assert.StartsWith("at least 4.71 USD", unknown.CostSentence, StringComparison.Ordinal);
    }

    [Fact]
    public void The_SVG_is_well_formed_a_thousand_pixels_wide_turns_dark_and_no_box_overlaps_another()
    {
        var svg = XDocument.Parse(PictureSvg.Of(Draw(Mission()))).Root!;

        Assert.Equal("1000", svg.Attribute("width")!.Value);
        Assert.Contains("prefers-color-scheme:dark", svg.Element(s_svg + "style")!.Value, StringComparison.Ordinal);
        var boxes = svg.Elements(s_svg + "g").Select(g => g.Element(s_svg + "rect")!).Select(r => (X: Of(r, "x"), Y: Of(r, "y"), W: Of(r, "width"), H: Of(r, "height"))).ToList();
        Assert.Equal(5, boxes.Count);
        for (var i = 0; i < boxes.Count; i++)
        {
            Assert.True(boxes[i].X >= 0 && boxes[i].X + boxes[i].W <= 1000);
            foreach (var other in boxes.Skip(i + 1))
                Assert.True(boxes[i].X + boxes[i].W <= other.X || other.X + other.W <= boxes[i].X || boxes[i].Y + boxes[i].H <= other.Y || other.Y + other.H <= boxes[i].Y);
        }
    }

    [Fact]
    public void Names_that_look_like_markup_stay_text_in_every_form()
    {
        var mission = Mission();
        var picture = Draw(mission with { Subnets = [mission.Subnets[0] with { Name = "<b>\"&#quot;\u001b[31m" }, mission.Subnets[1]] });

        Assert.Contains(XDocument.Parse(PictureSvg.Of(picture)).Descendants(s_svg + "text"), t => t.Value.StartsWith("<b>\"&#quot;?[31m", StringComparison.Ordinal));
        Assert.DoesNotContain("<b>", PictureHtml.Of(picture), StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", PictureMermaid.Of(picture), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', string.Join("", PictureText.Of(picture, 100, false)));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(160)]
    public void Every_line_fits_the_terminal(int width) =>
        Assert.All(PictureText.Of(Draw(Mission(), Hop.Network), width, false), line => Assert.InRange(line.Length, 0, width));

    [Fact]
    public void Mermaid_has_a_node_for_each_part_and_ends_every_subgraph()
    {
        var lines = PictureMermaid.Of(Draw(Mission())).Split('\n').Select(l => l.Trim()).ToList();

        Assert.Equal("flowchart LR", lines[0]);
        Assert.Equal(lines.Count(l => l.StartsWith("subgraph ", StringComparison.Ordinal)), lines.Count(l => l == "end"));
        Assert.Equal(5, lines.Count(l => l.StartsWith('n') && l.Contains("[\"", StringComparison.Ordinal)));
        Assert.Equal(4, lines.Count(l => l.StartsWith("linkStyle ", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_no_route_needs_is_left_out_and_counted()
    {
        var mission = Mission();
        var picture = Draw(mission with
        {
            Instances = [.. mission.Instances, .. Enumerable.Range(2, 300).Select(i => new InstanceFacts { Id = $"i-{i}", State = "running", SubnetId = "subnet-x" })],
            Subnets = [.. mission.Subnets, new("subnet-x", "ap-northeast-1a", "10.0.9.0/24", null)],
        });

        Assert.Equal("Not drawn, since no route needs it: 300 instances, 1 subnet", picture.LeftOut);
        Assert.Single(picture.Parts, p => p.Kind == PartKind.Bastion);
    }

    private static double Of(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, System.Globalization.CultureInfo.InvariantCulture);

    private static Picture Draw(Topology topology, Hop? broken = null) =>
        Picture.Of(topology, [Route(broken)], new Dictionary<string, decimal?> { ["vpce-1"] = 10.22m, ["vpce-2"] = 10.22m, ["i-1"] = 4.71m });

    private static RouteDiagnosis Route(Hop? broken) => new("ssm", "i-1",
        [.. Enum.GetValues<Hop>().Select(h => (h, $"{h}", broken is null || h < broken ? HopState.Good : h == broken ? HopState.Broken : HopState.Unreached))],
        broken is { } hop ? [new Finding("shut", hop, "the door is shut", "sg-db lets nobody in", new Fix("open it"))] : [], []);

    private static Topology Mission() => new()
    {
        Region = "ap-northeast-1",
        OwnAddress = IPAddress.Parse("203.0.113.7"),
        Target = new Target
        {
            Name = "cluster/app",
            Address = new HostPort("app.cluster-x.ap-northeast-1.rds.amazonaws.com", 5432),
            Database = new Database { Kind = DatabaseKind.Cluster, Id = "app", Arn = "arn:aws:rds:ap-northeast-1:1:cluster:app", Engine = "aurora-postgresql", Status = "available", Port = 5432, VpcId = "vpc-1", SecurityGroupIds = ["sg-db"] },
        },
        State = new DatabaseState { Zones = ["ap-northeast-1a"], SubnetIds = ["subnet-a", "subnet-c"] },
        Vpc = new VpcFacts("vpc-1", ["10.0.0.0/16"], "mission", true, true),
        Subnets = [new("subnet-a", "ap-northeast-1a", "10.0.10.0/24", "private-a"), new("subnet-c", "ap-northeast-1c", "10.0.11.0/24", "private-c")],
        Groups =
        [
            new("sg-b", "bastion", [], new Dictionary<string, string>()),
            new("sg-db", "db", [new(false, "tcp", 5432, 5432, [], ["sg-b"], [])], new Dictionary<string, string>()),
            new("sg-e", "endpoints", [new(false, "tcp", 443, 443, [], ["sg-b"], [])], new Dictionary<string, string>()),
        ],
        Endpoints = [Endpoint("vpce-1", "ssm"), Endpoint("vpce-2", "ssmmessages")],
        Instances = [new() { Id = "i-1", State = "running", VpcId = "vpc-1", SubnetId = "subnet-a", InstanceType = "t4g.nano", GroupIds = ["sg-b"], PingStatus = "Online" }],
    };

    private static EndpointFacts Endpoint(string id, string word) => new(id, $"com.amazonaws.ap-northeast-1.{word}", false, "available", true, ["subnet-a"], ["sg-e"], null, null, new Dictionary<string, string>());
}
