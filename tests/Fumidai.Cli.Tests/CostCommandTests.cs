using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary><c>fumidai cost</c> without an account: forms, widths, colours, wrong usage.</summary>
public sealed class CostCommandTests : IDisposable
{
    // A folder of its own: no fumidai.yaml of the machine may name another region.
    private readonly string _folder = Directory.CreateTempSubdirectory("fumidai-cost-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_table_of_Tokyo_is_the_one_worked_out_by_hand()
    {
        var ran = await Ran("--region", "ap-northeast-1");

        Assert.True(ran.ExitCode == 0, ran.ToString());
        Assert.StartsWith("""
            The way to the database, USD a month in ap-northeast-1
                0.04  Data API, no bastion                                         ▏
                2.16  Instance Connect Endpoint, bastion stopped when idle         ▋
                3.46  public bastion, stopped when idle                            ▉
                4.71  Instance Connect Endpoint, private bastion                   █▎
                8.36  private bastion, public address as its way out               ██▏
                8.36  public bastion with its IPv4 address, SSH                    ██▏
               22.61  private bastion stopped when idle, two endpoints, one zone   █████▉
               25.16  private bastion, two endpoints, one zone                     ██████▋
               35.38  private bastion, three endpoints, one zone                   █████████▎
               43.05  private bastion stopped when idle, two endpoints, two zones  ███████████▎
               45.60  private bastion, two endpoints, two zones                    ███████████▉
               53.68  private bastion, NAT gateway, one zone                       ██████████████
               66.04  private bastion, three endpoints, two zones                  █████████████████▎
              102.59  private bastion, NAT gateway, two zones                      ██████████████████████████▊

            The database, USD a month in ap-northeast-1
                5.00  Aurora DSQL                                       █▊
               19.85  Aurora Serverless v2 that pauses, 0 ACU at least  ███████▏
               56.35  Aurora Serverless v2 at its minimum, 0.5 ACU      ████████████████████▎
              111.10  Aurora Serverless v2 at a typical load            ████████████████████████████████████████

            Why one would pick it

            """.ReplaceLineEndings("\n"), ran.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(200)]
    public async Task Every_line_fits_the_terminal(int columns)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var surroundings = InProcess.Surroundings(output, TextWriter.Null, folder: _folder) with { OutputColumns = columns };

        var plain = await Table(surroundings with { Environment = name => name == "NO_COLOR" ? "1" : null }, output);

        Assert.All(plain.Split('\n'), line => Assert.InRange(line.Length, 0, columns));
        Assert.Contains('█', plain);
        Assert.DoesNotContain('\x1b', plain);
    }

    [Fact]
    public async Task Bars_are_coloured_on_a_terminal_only_and_not_against_the_user_s_will()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var terminal = InProcess.Surroundings(output, TextWriter.Null, folder: _folder) with { OutputColumns = 100 };

        Assert.Contains("\x1b[36m", await Table(terminal, output), StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', await Table(terminal with { Environment = n => n == "NO_COLOR" ? "1" : null }, output));
        Assert.DoesNotContain('\x1b', await Table(terminal with { Environment = n => n == "TERM" ? "dumb" : null }, output));
        Assert.DoesNotContain('\x1b', await Table(terminal with { OutputColumns = null }, output));
    }

    [Fact]
    public async Task What_is_not_known_is_said_and_never_counted_as_nothing()
    {
        var osaka = await Ran("--region", "ap-northeast-3");

        Assert.Contains("unknown  Data API, no bastion", osaka.Output, StringComparison.Ordinal);
        Assert.Contains("≥ 45.32  private bastion, NAT gateway, one zone", osaka.Output, StringComparison.Ordinal);
        Assert.Contains("prices of ap-northeast-3 are not known: ", osaka.Output.Replace("\n", " ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_every_figure_with_its_price_and_source()
    {
        var ran = await Ran("--region", "us-east-1", "--zones", "3", "--hours", "720", "--gb", "5", "--json");

        using var json = JsonDocument.Parse(ran.Output);
        Assert.Equal("us-east-1", json.RootElement.GetProperty("region").GetString());
        Assert.Equal(720, json.RootElement.GetProperty("assumed").GetProperty("hours_month").GetDecimal());
        var rows = json.RootElement.GetProperty("architectures").EnumerateArray().ToDictionary(r => r.GetProperty("id").GetString()!);
        var nat = rows["nat-3"].GetProperty("lines")[0];
        Assert.Equal((3 * 720, 0.045m, 3 * 720 * 0.045m), (nat.GetProperty("quantity").GetDecimal(), nat.GetProperty("usd_unit").GetDecimal(), nat.GetProperty("usd_month").GetDecimal()));
        Assert.Equal("NatGateway-Hours", nat.GetProperty("usage_type").GetString());
        Assert.All(rows.Values, row =>
        {
            Assert.All(row.GetProperty("lines").EnumerateArray(), l => Assert.True(l.GetProperty("source").GetString()!.Length > 10));
            Assert.Equal(row.GetProperty("usd_month").GetDecimal(), row.GetProperty("lines").EnumerateArray().Sum(l => l.GetProperty("usd_month").GetDecimal()), 3);
        });
    }

    [Fact]
    public async Task Csv_has_a_line_for_each_architecture_with_quotes_where_they_belong()
    {
        var ran = await Ran("--csv");

        var lines = ran.Output.TrimEnd('\n').Split('\n');
        Assert.Equal("region,part,id,architecture,usd_month,complete,unknown,security,throughput,cost", lines[0]);
        Assert.Equal(1 + Fumidai.Stacks.Architecture.All(1, 2).Count, lines.Length);
        Assert.StartsWith("ap-northeast-1,way,data-api,\"Data API, no bastion\",0.035,true,,", lines[1], StringComparison.Ordinal);
        Assert.All(lines, l => Assert.Equal(10, Fields(l)));
    }

    [Fact]
    public async Task The_chart_is_well_formed_has_a_bar_for_each_and_turns_dark_with_the_page()
    {
        var ran = await Ran("--svg");

        var svg = XDocument.Parse(ran.Output).Root!;
        XNamespace ns = "http://www.w3.org/2000/svg";
        Assert.Equal("1000", svg.Attribute("width")!.Value);
        Assert.Equal(Fumidai.Stacks.Architecture.All(1, 2).Count, svg.Elements(ns + "g").Count());
        Assert.Contains("prefers-color-scheme:dark", svg.Element(ns + "style")!.Value, StringComparison.Ordinal);
        Assert.Contains(svg.Descendants(ns + "text"), t => t.Value == "53.68");
        Assert.DoesNotContain("http", ran.Output.Replace(ns.NamespaceName, "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prices_are_listed_with_their_dates_and_sources()
    {
        var text = await Ran("--prices", "--region", "eu-west-1");
        var csv = await Ran("--prices", "--csv");

        Assert.Matches(@"\nendpoint-hour +0\.011 +hour +VpcEndpoint-Hours +2026-07-17  a public review of a bill", text.Output);
        Assert.Matches(@"\nt4g\.nano +unknown ", text.Output);
        Assert.Contains("\nap-northeast-1,nat-hour,NatGateway-Hours,hour,0.062,2026-09-25,", csv.Output, StringComparison.Ordinal);
        Assert.Equal(5, (await Ran("--prices", "--region", "mars-north-1")).ExitCode);
    }

    [Theory]
    [InlineData("--csv and --svg do not go together", "--svg", "--csv")]
    [InlineData("--svg does not go with --prices", "--prices", "--svg")]
    [InlineData("more than a day together", "--hours-a-day", "20", "--idle-hours", "5")]
    [InlineData("--hours-a-day must be a number from 0 to 24", "--hours-a-day", "25")]
    [InlineData("--gb must be a number from 0", "--gb", "-1")]
    [InlineData("--zones must be 1, 2 or 3", "--zones", "4")]
    [InlineData("--svg does not go with --stack", "--stack", "--svg")]
    [InlineData("--gb does not go with --stack", "--stack", "--gb", "2")]
    [InlineData("--name goes with --stack", "--name", "x")]
    [InlineData("--hours must be a number from 1 to 744", "--hours", "1e3")]
    public async Task Wrong_usage_is_told(string says, params string[] words)
    {
        var ran = await Ran(words);

        Assert.Equal(2, ran.ExitCode);
        Assert.Contains(says, ran.Error, StringComparison.Ordinal);
        Assert.Empty(ran.Output);
    }

    private static int Fields(string line)
    {
        var (count, quoted) = (1, false);
        foreach (var c in line)
        {
            if (c == '"')
                quoted = !quoted;
            else if (c == ',' && !quoted)
                count++;
        }
        Assert.False(quoted);
        return count;
    }

    private static async Task<string> Table(Surroundings surroundings, StringWriter output)
    {
        output.GetStringBuilder().Clear();
        var command = Assert.IsType<Parsed.Command>(CommandLine.Parse(["cost", "--region", "ap-northeast-1"])).Verb;
        using var screen = new Screen(surroundings, command.Output, command.EventsOnOutput);
        using var stop = new StopSignals();
        Assert.Equal(0, await command.RunAsync(new Run(surroundings, screen, stop)));
        return output.ToString();
    }

    private Task<InProcess> Ran(params string[] words) => InProcess.RunAsync(["cost", .. words.Contains("--region") ? words : [.. words, "--region", "ap-northeast-1"]], folder: _folder);
}
