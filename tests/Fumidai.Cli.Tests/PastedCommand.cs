using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Fumidai.Lab;
using Xunit;

namespace Fumidai.Cli.Tests;

/// <summary>
/// Does what a pasted line of <c>aws</c> commands does, as far as doctor's fixes go: options become the API's parameters by the AWS CLI's own rule
/// (kebab case to camel case), with the few spellings that the CLI makes up itself.
/// </summary>
internal sealed partial class PastedCommand(string url) : IDisposable
{
    private static readonly Dictionary<string, string> s_versions = new(StringComparer.Ordinal) { ["ec2"] = "2016-11-15", ["rds"] = "2014-10-31", ["iam"] = "2010-05-08" };

    private static readonly Dictionary<string, string> s_lists = new(StringComparer.Ordinal)
    {
        ["InstanceIds"] = "InstanceId",
        ["SubnetIds"] = "SubnetId",
        ["SecurityGroupIds"] = "SecurityGroupId",
        ["AddSubnetIds"] = "AddSubnetId",
        ["VpcEndpointIds"] = "VpcEndpointId",
    };

    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    /// <summary>Runs the line's commands one after the other.</summary>
    public async Task RunAsync(string line)
    {
        // A command within a command first: its answer takes its place.
        while (Inner().Match(line) is { Success: true } inner)
            line = line.Replace(inner.Value, await CallAsync(inner.Groups[1].Value), StringComparison.Ordinal);
        foreach (var command in line.Split(" && ").Where(c => !c.StartsWith("until ", StringComparison.Ordinal) && !c.StartsWith("id=", StringComparison.Ordinal)))
            await CallAsync(command);
    }

    private async Task<string> CallAsync(string command)
    {
        var words = Words().Matches(command).Select(w => w.Value.Trim('\'')).ToList();
        Assert.True(words is ["aws", _, _, ..], $"not to be pasted: {command}");
        var (service, operation) = (words[1], Pascal(words[2]));
        var options = Options(words.Skip(3).ToList());
        options.Remove("Output");
        var query = options.Remove("Query", out var wanted) ? wanted.Single() : null;
        var answer = service == "secretsmanager"
            ? await SendAsync(service, Encoding.UTF8.GetBytes(new JsonObject([.. options.Select(o => KeyValuePair.Create(o.Key, (JsonNode?)o.Value.Single()))]).ToJsonString()), "application/x-amz-json-1.1", $"secretsmanager.{operation}")
            : await FormAsync(service, operation, options);
        return query is null ? "" : Regex.Match(answer, $"<({Regex.Escape(char.ToLowerInvariant(query.Split('.')[^1][0]) + query.Split('.')[^1][1..])})>([^<]*)<").Groups[2].Value;
    }

    private async Task<string> FormAsync(string service, string operation, Dictionary<string, List<string>> options)
    {
        var pairs = new List<KeyValuePair<string, string>> { new("Action", operation), new("Version", s_versions[service]) };
        foreach (var (name, values) in options)
            pairs.AddRange(Parameters(operation, name, values));
        using var content = new FormUrlEncodedContent(pairs);
        return await SendAsync(service, await content.ReadAsByteArrayAsync(), "application/x-www-form-urlencoded", null);
    }

    private static IEnumerable<KeyValuePair<string, string>> Parameters(string operation, string name, List<string> values)
    {
        var isRule = operation.StartsWith("AuthorizeSecurityGroup", StringComparison.Ordinal);
        return (name, values) switch
        {
            ("IpPermissions", [var shorthand]) => Shorthand().Matches(shorthand).Select(m => KeyValuePair.Create("IpPermissions.1." + m.Groups["list"].Value switch
            {
                "UserIdGroupPairs" => "Groups.1.GroupId",
                "IpRanges" => "IpRanges.1.CidrIp",
                _ => m.Groups["name"].Value,
            }, m.Groups["value"].Value)),
            ("Protocol", [var protocol]) when isRule => [new("IpPermissions.1.IpProtocol", protocol)],
            ("Port", [var port]) when isRule => [new("IpPermissions.1.FromPort", port), new("IpPermissions.1.ToPort", port)],
            ("SourceGroup", [var group]) => [new("IpPermissions.1.Groups.1.GroupId", group)],
            ("Cidr", [var cidr]) => [new("IpPermissions.1.IpRanges.1.CidrIp", cidr)],
            ("Ingress", []) => [new("Egress", "false")],
            ("PortRange", [var range]) => range.Split(',').Select(p => KeyValuePair.Create("PortRange." + p.Split('=')[0], p.Split('=')[1])),
            ("IamInstanceProfile", [var profile]) => [new("IamInstanceProfile." + profile.Split('=')[0], profile.Split('=')[1])],
            ("EnableDnsSupport" or "EnableDnsHostnames", []) => [new(name + ".Value", "true")],
            ("DbInstanceIdentifier" or "DbClusterIdentifier" or "DbInstanceClass", [var id]) => [new("DB" + name[2..], id)],
            (_, []) => [new(name, "true")],
            _ when s_lists.TryGetValue(name, out var one) && !(operation == "CreateInstanceConnectEndpoint" && name != "SecurityGroupIds") => values.Select((v, i) => KeyValuePair.Create($"{one}.{i + 1}", v)),
            (_, [var value]) => [new(name, value)],
            _ => throw new InvalidOperationException($"{operation} --{name} {string.Join(' ', values)}"),
        };
    }

    private static Dictionary<string, List<string>> Options(List<string> words)
    {
        var options = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var values = new List<string>();
        foreach (var word in words)
        {
            if (word.StartsWith("--", StringComparison.Ordinal))
                options[Pascal(word[2..])] = values = [];
            else
                values.Add(word);
        }
        return options;
    }

    private async Task<string> SendAsync(string service, byte[] body, string type, string? target)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);
        if (target is not null)
            request.Headers.Add("X-Amz-Target", target);
        SigV4.Sign(request, body, new SigningKeys("AKIALABMAIN00000000A", $"lab/{LabAccounts.Main}/opens/nothing/but/the/lab", null), service, LabRegions.Main, DateTimeOffset.UtcNow);
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{Encoding.UTF8.GetString(body)}\n{answer}");
        return answer;
    }

    private static string Pascal(string kebab) => string.Concat(kebab.Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..])) switch
    {
        var db when db.StartsWith("StartDb", StringComparison.Ordinal) || db.StartsWith("CreateDb", StringComparison.Ordinal) || db.StartsWith("ModifyDb", StringComparison.Ordinal) => db.Replace("Db", "DB", StringComparison.Ordinal),
        var other => other,
    };

    [GeneratedRegex(@"\$\((aws [^$()]*)\)")]
    private static partial Regex Inner();

    [GeneratedRegex("'[^']*'|[^ ]+")]
    private static partial Regex Words();

    [GeneratedRegex(@"(?:(?<list>UserIdGroupPairs|IpRanges)=\[\{(?<name>\w+)=(?<value>[^}]*)\}\])|(?:(?<name>\w+)=(?<value>[^,\[]+))")]
    private static partial Regex Shorthand();
}
