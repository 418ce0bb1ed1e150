using System.Net;
using Amazon.EC2.Model;
using Xunit;

namespace Fumidai.Aws.Tests;

public sealed class ReadSecurityGroupsTests
{
    private static IpPermission Rule(string protocol, int? from, int? to, string? v4 = null, string? v6 = null, string? group = null, string? prefixList = null) => new()
    {
        IpProtocol = protocol,
        FromPort = from,
        ToPort = to,
        Ipv4Ranges = v4 is null ? null : [new IpRange { CidrIp = v4 }],
        Ipv6Ranges = v6 is null ? null : [new Ipv6Range { CidrIpv6 = v6 }],
        UserIdGroupPairs = group is null ? null : [new UserIdGroupPair { GroupId = group }],
        PrefixListIds = prefixList is null ? null : [new PrefixListId { Id = prefixList }],
    };

    [Theory]
    [InlineData("tcp", 22, 22, "203.0.113.0/24", "203.0.113.9", true)]
    [InlineData("6", 22, 22, "203.0.113.9/32", "203.0.113.9", true)]
    [InlineData("-1", null, null, "0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("tcp", 0, 65535, "203.0.113.9/32", "203.0.113.9", true)]
    [InlineData("tcp", 20, 25, "203.0.112.0/23", "203.0.113.9", true)]
    [InlineData("tcp", 22, 22, "203.0.113.77/24", "203.0.113.9", true)]
    [InlineData("tcp", 22, 22, "203.0.113.0/24", "::ffff:203.0.113.9", true)]
    [InlineData("tcp", 22, 22, "203.0.113.0/29", "203.0.113.9", false)]
    [InlineData("tcp", 23, 65535, "0.0.0.0/0", "203.0.113.9", false)]
    [InlineData("udp", 22, 22, "0.0.0.0/0", "203.0.113.9", false)]
    [InlineData("icmp", -1, -1, "0.0.0.0/0", "203.0.113.9", false)]
    [InlineData("tcp", 22, 22, "0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("tcp", 22, 22, "nonsense", "203.0.113.9", false)]
    [InlineData("tcp", 22, 22, "0.0.0.0/64", "203.0.113.9", false)]
    public void A_rule_by_IPv4_network_admits_what_it_holds(string protocol, int? from, int? to, string cidr, string source, bool admits) =>
        Assert.Equal(admits, ReadSecurityGroups.Admits(Rule(protocol, from, to, cidr), 22, IPAddress.Parse(source), []));

    [Theory]
    [InlineData("2001:db8::/32", "2001:db8:1::5", true)]
    [InlineData("::/0", "2001:db8:1::5", true)]
    [InlineData("2001:db9::/32", "2001:db8:1::5", false)]
    [InlineData("::/0", "203.0.113.9", false)]
    public void A_rule_by_IPv6_network_admits_what_it_holds(string cidr, string source, bool admits) =>
        Assert.Equal(admits, ReadSecurityGroups.Admits(Rule("tcp", 22, 22, v6: cidr), 22, IPAddress.Parse(source), []));

    [Fact]
    public void A_rule_by_group_admits_its_members_whatever_their_address_and_a_prefix_list_nobody()
    {
        Assert.True(ReadSecurityGroups.Admits(Rule("tcp", 5432, 5432, group: "sg-bastion"), 5432, null, ["sg-x", "sg-bastion"]));
        Assert.False(ReadSecurityGroups.Admits(Rule("tcp", 5432, 5432, group: "sg-bastion"), 5432, IPAddress.Parse("10.0.0.1"), ["sg-x"]));
        Assert.False(ReadSecurityGroups.Admits(Rule("tcp", 5432, 5432, group: "sg-bastion"), 5433, null, ["sg-bastion"]));
        Assert.False(ReadSecurityGroups.Admits(Rule("tcp", 22, 22, prefixList: "pl-1"), 22, IPAddress.Parse("10.0.0.1"), ["sg-x"]));
        Assert.False(ReadSecurityGroups.Admits(Rule("-1", null, null, v4: "0.0.0.0/0"), 22, null, []));
    }

    [Fact]
    public async Task The_groups_are_asked_for_by_id_and_any_one_of_them_admits()
    {
        await using var aws = new FakeAws(_ => FakeAnswer.Xml("""
            <DescribeSecurityGroupsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><securityGroupInfo><item><groupId>sg-1</groupId><ipPermissions/></item>
            <item><groupId>sg-2</groupId><ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/><ipRanges><item><cidrIp>203.0.113.9/32</cidrIp></item></ipRanges></item></ipPermissions></item>
            </securityGroupInfo></DescribeSecurityGroupsResponse>
            """));
        using var laptop = Laptop.Facing(aws);
        using var access = laptop.Open();
        var stop = TestContext.Current.CancellationToken;
        Assert.True(await ReadSecurityGroups.AdmitAsync(access, ["sg-1", "sg-2"], 22, IPAddress.Parse("203.0.113.9"), [], stop));
        Assert.False(await ReadSecurityGroups.AdmitAsync(access, ["sg-1", "sg-2"], 23, IPAddress.Parse("203.0.113.9"), [], stop));
        Assert.Equal(("sg-1", "sg-2"), (aws.Requests.First().Form["GroupId.1"], aws.Requests.First().Form["GroupId.2"]));
        var asked = aws.Requests.Count;
        Assert.False(await ReadSecurityGroups.AdmitAsync(access, [], 22, IPAddress.Any, [], stop));
        Assert.Equal(asked, aws.Requests.Count);
    }
}
