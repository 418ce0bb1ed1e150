using System.Net;
using CsCheck;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>Options that cannot be are refused at the door, each with one line.</summary>
public sealed class StackOptionsTests
{
    private static StackOptions Both => new() { Pattern = StackPattern.Both, MyAddress = Sites.Home };

    public static TheoryData<string, string> Wrong => new()
    {
        { "name", "--name 1st" }, { "name-long", "--name aaaa" }, { "vpc", "--vpc fumidai" }, { "subnet", "--subnets: a is not" }, { "subnets-without-vpc", "--subnets belong" },
        { "subnet-twice", "twice" }, { "cidr-host-bits", "--cidr 10.0.0.1/16" }, { "cidr-public", "--cidr 8.8.0.0/16" }, { "cidr-wide", "--cidr 10.0.0.0/8" }, { "cidr-narrow", "--cidr 10.0.0.0/28" },
        { "cidr-no-number", "--cidr 10.0/16" }, { "cidr-existing", "exists already" }, { "zones", "1 or 2 zones" }, { "endpoints-public", "--pattern public has none" }, { "nat-existing", "in a new VPC only" },
        { "endpoints-few", "not enough" }, { "min-step", "--min-acu 0.3" }, { "min-negative", "--min-acu -1" }, { "max-half", "--max-acu 0.5" }, { "max-big", "--max-acu 256.5" }, { "min-over-max", "more than --max-acu" },
        { "pause-short", "before a pause" }, { "version", "--engine-version 9" }, { "version-word", "--engine-version newest" }, { "database", "first database" }, { "idle-short", "--idle-stop" },
        { "idle-seconds", "--idle-stop" }, { "type-x86", "arm64" }, { "no-address", "none is given" }, { "ipv6", "IPv4" }, { "tag-aws", "--tag aws:x" }, { "tag-ours", "--tag fumidai:stack" }, { "tag-name", "--tag Name" },
        { "tag-chars", "--tag a" }, { "tag-empty", "--tag" }, { "tags-many", "too many" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_option_is_one_line_that_names_it(string which, string part)
    {
        var vpc = "vpc-0123456789abcdef0";
        var o = Both;
        o = which switch
        {
            "name" => o with { Name = "1st" },
            "name-long" => o with { Name = new string('a', 101) },
            "vpc" => o with { Vpc = "fumidai" },
            "subnet" => o with { Vpc = vpc, Subnets = ["a"] },
            "subnets-without-vpc" => o with { Subnets = ["subnet-0123456789abcdef1"] },
            "subnet-twice" => o with { Vpc = vpc, Subnets = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef1"] },
            "cidr-host-bits" => o with { Cidr = "10.0.0.1/16" },
            "cidr-public" => o with { Cidr = "8.8.0.0/16" },
            "cidr-wide" => o with { Cidr = "10.0.0.0/8" },
            "cidr-narrow" => o with { Cidr = "10.0.0.0/28" },
            "cidr-no-number" => o with { Cidr = "10.0/16" },
            "cidr-existing" => o with { Vpc = vpc, Cidr = "10.0.0.0/16" },
            "zones" => o with { EndpointZones = 3 },
            "endpoints-public" => o with { Pattern = StackPattern.Public, Endpoints = EndpointChoice.Default },
            "nat-existing" => o with { Vpc = vpc, Endpoints = EndpointChoice.Nat },
            "endpoints-few" => o with { Endpoints = EndpointChoice.Parse("ssm") },
            "min-step" => o with { MinAcu = 0.3m },
            "min-negative" => o with { MinAcu = -1 },
            "max-half" => o with { MaxAcu = 0.5m },
            "max-big" => o with { MaxAcu = 256.5m },
            "min-over-max" => o with { MinAcu = 4, MaxAcu = 2 },
            "pause-short" => o with { AutoPauseAfter = TimeSpan.FromSeconds(10) },
            "version" => o with { EngineVersion = "9" },
            "version-word" => o with { EngineVersion = "newest" },
            "database" => o with { DatabaseName = "my-db" },
            "idle-short" => o with { IdleStop = TimeSpan.FromMinutes(1) },
            "idle-seconds" => o with { IdleStop = TimeSpan.FromSeconds(330) },
            "type-x86" => o with { BastionType = "t3.nano" },
            "no-address" => o with { MyAddress = null },
            "ipv6" => o with { MyAddress = IPAddress.IPv6Loopback },
            "tag-aws" => Tagged("aws:x", "1"),
            "tag-ours" => Tagged("fumidai:stack", "1"),
            "tag-name" => Tagged("Name", "1"),
            "tag-chars" => Tagged("a", "b\n}"),
            "tag-empty" => Tagged("", "1"),
            _ => o with { Tags = Enumerable.Range(0, 41).ToDictionary(i => $"k{i}", _ => "v") },
        };
        var failure = Assert.Throws<StackFailure>(o.Checked);
        Assert.Equal(StackFailureReason.Usage, failure.Reason);
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);

        static StackOptions Tagged(string key, string value) => Both with { Tags = new Dictionary<string, string> { [key] = value } };
    }

    [Theory]
    [InlineData("30m", 30)]
    [InlineData("2h", 120)]
    [InlineData("90", 90)]
    public void Idle_stop_is_minutes_or_hours(string text, int minutes) => Assert.Equal(TimeSpan.FromMinutes(minutes), StackOptions.ParseIdleStop(text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("1.5h")]
    [InlineData("30s")]
    [InlineData("99999999999")]
    public void Other_texts_are_no_time(string text) => Assert.Throws<StackFailure>(() => StackOptions.ParseIdleStop(text));

    [Fact]
    public void Never_is_never() => Assert.Null(StackOptions.ParseIdleStop("never"));

    [Theory]
    [InlineData("ssmmessages,ssm", "ssm,ssmmessages")]
    [InlineData(" ssm , ssmmessages, s3 ", "ssm,ssmmessages,s3")]
    [InlineData("nat", "nat")]
    [InlineData("none", "none")]
    public void Endpoints_are_read_in_any_order(string text, string said) => Assert.Equal(said, EndpointChoice.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("nat,ssm")]
    [InlineData("ssn")]
    public void Unknown_endpoints_are_refused(string text) => Assert.Throws<StackFailure>(() => EndpointChoice.Parse(text));

    [Fact]
    public void Sixteenths_of_any_usable_range_lie_in_it_and_never_overlap() => Gen.Select(Gen.UInt, Gen.Int[16, 24]).Sample((address, prefix) =>
    {
        var block = new Ipv4Block(address & ~(uint)(0xFFFF_FFFFUL >> prefix), prefix);
        var parts = Enumerable.Range(0, 4).Select(block.Sixteenth).ToList();
        return parts.TrueForAll(p => p.First >= block.First && p.Last <= block.Last && Ipv4Block.TryParse(p.ToString(), out var again) && again == p)
            && parts.Zip(parts.Skip(1)).All(p => !p.First.Overlaps(p.Second) && p.First.Last + 1 == p.Second.First);
    });
}
