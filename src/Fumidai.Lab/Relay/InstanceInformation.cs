using System.Collections.Concurrent;

namespace Fumidai.Lab;

/// <summary>A managed instance as Session Manager knows it.</summary>
/// <param name="InstanceId"></param>
/// <param name="AgentVersion"></param>
/// <param name="IsConnected">Its control channel is open.</param>
/// <param name="LastPing">Its last heartbeat.</param>
internal sealed record ManagedInstance(string InstanceId, string AgentVersion, bool IsConnected, DateTimeOffset LastPing);

/// <summary>GetConnectionStatus, DescribeInstanceInformation, and the heartbeat of foreign agents.</summary>
internal sealed class InstanceInformation(LabContext context, ControlChannels controls, Func<IReadOnlyList<ManagedInstance>> agents)
{
    /// <summary>Agents report every five minutes; one that is late is ConnectionLost.</summary>
    public static TimeSpan Heartbeat { get; } = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, ManagedInstance> _reported = new(StringComparer.Ordinal);

    /// <summary>Whether a session can be started there now.</summary>
    public bool IsConnected(string target, string account, string region)
    {
        if (controls.IsConnected(target))
            return context.Model.Read(model => model.Instances.GetValueOrDefault(target)) is not { } known || (known.Account == account && known.Region == region);
        return context.Model.Read(model => model.Instances.TryGetValue(target, out var instance) && instance.Account == account && instance.Region == region)
            && agents().Any(agent => agent.InstanceId == target && agent.IsConnected);
    }

    public AwsAnswer ConnectionStatus(AwsCall call, JsonBody body)
    {
        var target = body.Required("Target");
        var status = IsConnected(target, call.Caller.Account, call.Region) ? "connected" : "notconnected";
        return JsonBody.Write(json =>
        {
            json.WriteString("Target", target);
            json.WriteString("Status", status);
        });
    }

    /// <summary>What the official agent reports about itself.</summary>
    public AwsAnswer Update(AwsCall call, JsonBody body)
    {
        var instance = body.Required("InstanceId");
        _reported[instance] = new(instance, body.Text("AgentVersion") ?? "", true, context.Time.GetUtcNow());
        return JsonBody.Write(static _ => { });
    }

    public AwsAnswer Describe(AwsCall call, JsonBody body)
    {
        if (body.Number("MaxResults") is < 5 or > 50)
            throw new AwsError("ValidationException", "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value between 5 and 50");
        var rows = Rows(call).OrderBy(row => row.Id, StringComparer.Ordinal).ToList();
        foreach (var (key, values) in Filters(body))
            rows = [.. rows.Where(row => values.Any(value => row.Matches(key, value)))];
        var (page, next) = Paging.Cut(rows, body.Text("NextToken"), body.Number("MaxResults") ?? 50, static () => new("InvalidNextToken", "The specified token is not valid."));
        return JsonBody.Write(json =>
        {
            json.WriteStartArray("InstanceInformationList");
            foreach (var row in page)
            {
                json.WriteStartObject();
                json.WriteString("InstanceId", row.Id);
                json.WriteString("PingStatus", row.PingStatus);
                json.WriteNumber("LastPingDateTime", JsonBody.Epoch(row.Managed.LastPing));
                json.WriteString("AgentVersion", row.Managed.AgentVersion);
                json.WriteBoolean("IsLatestVersion", false);
                json.WriteString("PlatformType", "Linux");
                json.WriteString("PlatformName", "Amazon Linux");
                json.WriteString("PlatformVersion", "2023");
                json.WriteString("ResourceType", row.ResourceType);
                if (row.Instance is { } instance)
                {
                    json.WriteString("IPAddress", instance.PrivateAddress.ToString());
                    json.WriteString("ComputerName", $"ip-{instance.PrivateAddress.ToString().Replace('.', '-')}.{instance.Region}.compute.internal");
                }
                json.WriteString("SourceId", row.Id);
                json.WriteString("SourceType", row.Instance is null ? "AWS::SSM::ManagedInstance" : "AWS::EC2::Instance");
                json.WriteEndObject();
            }
            json.WriteEndArray();
            if (next is not null)
                json.WriteString("NextToken", next);
        });
    }

    private sealed record Row(ManagedInstance Managed, Instance? Instance, string PingStatus)
    {
        public string Id => Managed.InstanceId;

        public string ResourceType => Instance is null && Id.StartsWith("mi-", StringComparison.Ordinal) ? "ManagedInstance" : "EC2Instance";

        public bool Matches(string key, string value) => key switch
        {
            "InstanceIds" => Id == value,
            "AgentVersion" => Managed.AgentVersion == value,
            "PingStatus" => PingStatus == value,
            "PlatformTypes" => value == "Linux",
            "ResourceType" => ResourceType == value,
            "SourceIds" => Id == value,
            "SourceTypes" => value == (Instance is null ? "AWS::SSM::ManagedInstance" : "AWS::EC2::Instance"),
            // Only hybrid nodes have them, and AssociationStatus needs associations.
            "ActivationIds" or "AssociationStatus" or "IamRole" => false,
            "tag-key" => Instance?.Tags.ContainsKey(value) ?? false,
            _ when key.StartsWith("tag:", StringComparison.Ordinal) => Instance?.Tags.GetValueOrDefault(key[4..]) == value,
            _ => throw new AwsError("InvalidFilterKey", $"The filter key {key} is not valid."),
        };
    }

    private List<Row> Rows(AwsCall call)
    {
        var now = context.Time.GetUtcNow();
        var managed = agents().ToDictionary(agent => agent.InstanceId, StringComparer.Ordinal);
        foreach (var (id, reported) in _reported)
            managed[id] = reported with { IsConnected = controls.IsConnected(id) };
        foreach (var (id, version, since) in controls.Connected)
            managed[id] = new(id, version, true, _reported.TryGetValue(id, out var reported) ? reported.LastPing : since);
        return context.Model.Read(model =>
        {
            var rows = new List<Row>();
            foreach (var one in managed.Values)
            {
                var instance = model.Instances.GetValueOrDefault(one.InstanceId);
                if (instance is not null && (instance.Account != call.Caller.Account || instance.Region != call.Region))
                    continue;
                rows.Add(new(one, instance, one.IsConnected || now - one.LastPing < Heartbeat ? "Online" : "ConnectionLost"));
            }
            return rows;
        });
    }

    /// <summary>Both forms of filters: the old one calls its members key and valueSet.</summary>
    private static IEnumerable<(string Key, IReadOnlyList<string> Values)> Filters(JsonBody body)
    {
        var old = body.Structures("InstanceInformationFilterList");
        var current = body.Structures("Filters");
        if (old.Count > 0 && current.Count > 0)
            throw new AwsError("ValidationException", "Filters and InstanceInformationFilterList cannot be used together.");
        return [.. old.Select(filter => Checked(filter.Required("key"), filter.Texts("valueSet"))), .. current.Select(filter => Checked(filter.Required("Key"), filter.Texts("Values")))];
    }

    private static (string, IReadOnlyList<string>) Checked(string key, IReadOnlyList<string> values)
    {
        // Refused even when no instance is there to compare.
        new Row(new("", "", false, default), null, "").Matches(key, "");
        return values.Count > 0 ? (key, values) : throw new AwsError("InvalidInstanceInformationFilterValue", $"The filter {key} has no value.");
    }
}
