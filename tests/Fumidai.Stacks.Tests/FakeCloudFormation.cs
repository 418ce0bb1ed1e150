using System.Collections.Concurrent;
using System.Globalization;
using System.Security;
using System.Text;
using System.Text.Json;
using Fumidai.Aws.Tests;

namespace Fumidai.Stacks.Tests;

/// <summary>
/// CloudFormation as far as its answers to us go, with the behaviours that moto has not: resource events, failures, rollbacks, outputs, answers by id
/// after deletion. Each look at a stack moves its operation on by one step, so nothing takes time. Shapes: aws-facts §1, CloudFormation.
/// </summary>
internal sealed class FakeCloudFormation
{
    private readonly ConcurrentDictionary<string, FakeStack> _byId = new();
    private int _count;

    /// <summary>Resources that fail when created, updated or deleted (<c>Writer</c>, <c>delete Vpc</c>), with the reason.</summary>
    public Dictionary<string, string> Fails { get; } = [];

    /// <summary>Whether the next change set finds nothing to do.</summary>
    public bool IsUnchanged { get; set; }

    /// <summary>What the next change sets fail with.</summary>
    public string? ChangeSetFailure { get; set; }

    /// <summary>Errors to answer in place of the next calls of an operation.</summary>
    public ConcurrentDictionary<string, ConcurrentQueue<FakeAnswer>> Errors { get; } = new();

    /// <summary>ARNs the tags' index has, page by page: the last is repeated.</summary>
    public ConcurrentQueue<string[]> Tagged { get; } = new();

    /// <summary>Ids that EC2 and RDS still know.</summary>
    public HashSet<string> Living { get; } = [];

    public string Image { get; set; } = "ami-0aaaaaaaaaaaaaaa1";

    public FakeStack? this[string name] => _byId.Values.LastOrDefault(s => s.Name == name && s.Status != "DELETE_COMPLETE");

    public FakeStack Add(string name, string status, params (string Key, string Value)[] tags)
    {
        var n = Interlocked.Increment(ref _count);
        var stack = new FakeStack($"arn:aws:cloudformation:ap-northeast-1:111122223333:stack/{name}/{n}", name) { Status = status };
        foreach (var (key, value) in tags)
            stack.Tags[key] = value;
        return _byId[stack.Id] = stack;
    }

    public FakeAnswer Answer(FakeRequest request)
    {
        lock (_byId)
        {
            var operation = request.Operation.Split('.')[^1];
            if (Errors.TryGetValue(operation, out var queue) && queue.TryDequeue(out var error))
                return error;
            var f = request.Form;
            return operation switch
            {
                "DescribeStacks" => DescribeStacks(f.GetValueOrDefault("StackName")),
                "CreateChangeSet" => Create(request.Form),
                "DescribeChangeSet" => OnSet(f, (stack, set) => Result(operation, $"<ChangeSetId>{set.Id}</ChangeSetId><StackId>{stack.Id}</StackId><Status>{set.Status}</Status>"
                    + $"{Element("StatusReason", set.Reason)}<ExecutionStatus>{(set.Status == "FAILED" ? "UNAVAILABLE" : "AVAILABLE")}</ExecutionStatus><Changes>{set.Changes}</Changes>")),
                "ExecuteChangeSet" => OnSet(f, (stack, set) => { Execute(stack, set); return Result(operation, ""); }),
                "DeleteChangeSet" => OnSet(f, (stack, set) => { stack.ChangeSets.Remove(set); return Result(operation, ""); }),
                "DescribeStackEvents" => OnStack(f, stack => Result(operation, $"<StackEvents>{string.Concat(Enumerable.Reverse(stack.Events))}</StackEvents>")),
                "ListStackResources" => OnStack(f, stack => Result(operation, $"<StackResourceSummaries>{string.Concat(stack.Resources.Select(r =>
                    $"<member><LogicalResourceId>{r.Key}</LogicalResourceId><PhysicalResourceId>id-{r.Key}</PhysicalResourceId><ResourceType>{r.Value.Type}</ResourceType><ResourceStatus>{r.Value.Status}</ResourceStatus></member>"))}</StackResourceSummaries>")),
                "GetTemplate" => OnStack(f, stack => Result(operation, Element("TemplateBody", stack.Template))),
                "DeleteStack" => Delete(f),
                "ContinueUpdateRollback" => OnStack(f, stack => { stack.Begin("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", []); return Result(operation, ""); }),
                "DetectStackDrift" => Result(operation, "<StackDriftDetectionId>d-1</StackDriftDetectionId>"),
                "DescribeStackDriftDetectionStatus" => Result(operation, $"<DetectionStatus>{(Interlocked.Increment(ref _count) % 2 == 0 ? "DETECTION_IN_PROGRESS" : "DETECTION_COMPLETE")}</DetectionStatus>"),
                "DescribeStackResourceDrifts" => Result(operation, "<StackResourceDrifts><member><LogicalResourceId>SshGroup</LogicalResourceId><PhysicalResourceId>sg-1</PhysicalResourceId><ResourceType>AWS::EC2::SecurityGroup</ResourceType><StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><PropertyDifferences><member><PropertyPath>/SecurityGroupIngress/0/CidrIp</PropertyPath><ExpectedValue>203.0.113.7/32</ExpectedValue><ActualValue>0.0.0.0/0</ActualValue></member></PropertyDifferences></member></StackResourceDrifts>"),
                "GetParameter" => FakeAnswer.Ok("{\"Parameter\":{\"Name\":\"x\",\"Value\":\"" + Image + "\"}}"),
                "GetResources" => GetResources(),
                "DescribeVpcs" => Ec2("vpcSet", "vpcId", "vpc-"),
                "DescribeInstances" => FakeAnswer.Xml($"<DescribeInstancesResponse><reservationSet>{string.Concat(Living.Where(l => l.StartsWith("i-", StringComparison.Ordinal)).Select(l => $"<item><instancesSet><item><instanceId>{l}</instanceId></item></instancesSet></item>"))}</reservationSet></DescribeInstancesResponse>"),
                "DescribeNatGateways" => Ec2("natGatewaySet", "natGatewayId", "nat-"),
                "DescribeDBClusters" => FakeAnswer.QueryError(404, "DBClusterNotFoundFault", "no such cluster"),
                _ => FakeAnswer.QueryError(400, "InvalidAction", $"the fake does not know {operation}"),
            };
        }
    }

    private FakeAnswer Ec2(string set, string id, string prefix) =>
        FakeAnswer.Xml($"<DescribeResponse><{set}>{string.Concat(Living.Where(l => l.StartsWith(prefix, StringComparison.Ordinal)).Select(l => $"<item><{id}>{l}</{id}></item>"))}</{set}></DescribeResponse>");

    private FakeAnswer GetResources()
    {
        var page = Tagged.TryPeek(out var arns) ? arns : [];
        if (Tagged.Count > 1)
            Tagged.TryDequeue(out _);
        return FakeAnswer.Ok("{\"ResourceTagMappingList\":[" + string.Join(',', page.Select(a => "{\"ResourceARN\":" + JsonSerializer.Serialize(a) + "}")) + "],\"PaginationToken\":\"\"}");
    }

    private FakeAnswer DescribeStacks(string? nameOrId)
    {
        var found = nameOrId is null ? _byId.Values.Where(s => s.Status != "DELETE_COMPLETE").ToList() : Find(nameOrId) is { } one ? [one] : [];
        if (nameOrId is not null && found.Count == 0)
            return Missing(nameOrId);
        foreach (var stack in found)
            stack.Step();
        return Result("DescribeStacks", $"<Stacks>{string.Concat(found.Select(s => s.Xml()))}</Stacks>");
    }

    private FakeAnswer Create(IReadOnlyDictionary<string, string> f)
    {
        var (name, isCreation) = (f["StackName"], f["ChangeSetType"] == "CREATE");
        var stack = Find(name);
        if (isCreation && stack is { Status: not "REVIEW_IN_PROGRESS" })
            return FakeAnswer.QueryError(400, "ValidationError", $"Stack [{name}] already exists and cannot be created again with the changeSet [x].");
        if (!isCreation && stack is null)
            return Missing(name);
        if (!isCreation && stack!.Status is "REVIEW_IN_PROGRESS" || stack?.Status.EndsWith("ING_PROGRESS", StringComparison.Ordinal) == true)
            return FakeAnswer.QueryError(400, "ValidationError", $"Stack:{stack!.Id} is in {stack.Status} state and can not be updated.");
        if (f.GetValueOrDefault("Capabilities.member.1") != "CAPABILITY_IAM")
            return FakeAnswer.QueryError(400, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]");
        if (stack?.ChangeSets.Exists(c => c.Name == f["ChangeSetName"]) == true)
            return FakeAnswer.QueryError(400, "AlreadyExistsException", $"ChangeSet {f["ChangeSetName"]} already exists");
        stack ??= Add(name, "REVIEW_IN_PROGRESS");
        if (stack.Status == "REVIEW_IN_PROGRESS" && stack.Events.Count == 0)
            stack.Tell(stack.Name, "AWS::CloudFormation::Stack", "REVIEW_IN_PROGRESS", null);
        var set = new FakeChangeSet($"arn:aws:cloudformation:ap-northeast-1:111122223333:changeSet/{f["ChangeSetName"]}/{Interlocked.Increment(ref _count)}", f["ChangeSetName"], f)
        {
            Status = "CREATE_COMPLETE",
            Template = f.GetValueOrDefault("TemplateBody") ?? stack.Template ?? "",
        };
        if (IsUnchanged || ChangeSetFailure is not null)
        {
            set.Status = "FAILED";
            set.Reason = ChangeSetFailure ?? "The submitted information didn't contain changes. Submit different information to create a change set.";
        }
        else
        {
            var document = new TemplateDocument(set.Template);
            var types = document.Resources.Keys.ToDictionary(id => id, document.Type);
            set.Changes = string.Concat(types.Where(r => !stack.Resources.ContainsKey(r.Key)).Select(r => Change("Add", r.Key, r.Value, null))
                .Concat(stack.Resources.Where(r => !types.ContainsKey(r.Key)).Select(r => Change("Remove", r.Key, r.Value.Type, null))));
        }
        stack.ChangeSets.Add(set);
        return Result("CreateChangeSet", $"<Id>{set.Id}</Id><StackId>{stack.Id}</StackId>");
    }

    private static string Change(string action, string id, string type, string? replacement) =>
        $"<member><Type>Resource</Type><ResourceChange><Action>{action}</Action><LogicalResourceId>{id}</LogicalResourceId><ResourceType>{type}</ResourceType>{Element("Replacement", replacement)}</ResourceChange></member>";

    private void Execute(FakeStack stack, FakeChangeSet set)
    {
        stack.ChangeSets.Clear();
        var isCreation = stack.Status == "REVIEW_IN_PROGRESS";
        var document = new TemplateDocument(set.Template);
        stack.Take(set, document, isCreation);
        var verb = isCreation ? "CREATE" : "UPDATE";
        var steps = new List<Action>();
        var failed = document.Resources.Keys.FirstOrDefault(Fails.ContainsKey);
        foreach (var id in document.Resources.Keys)
        {
            if (id == failed)
            {
                // A neighbour fails too, only because it is cancelled; CloudFormation may tell it first.
                steps.Add(() => stack.Tell("BastionGroup", "AWS::EC2::SecurityGroup", verb + "_FAILED", "Resource creation cancelled"));
                steps.Add(() => stack.Set(id, document.Type(id), verb + "_FAILED", Fails[id]));
                break;
            }
            steps.Add(() => stack.Set(id, document.Type(id), verb + "_COMPLETE", null));
        }
        if (failed is null)
        {
            stack.Begin(verb + "_IN_PROGRESS", verb + "_COMPLETE", steps);
            return;
        }
        var back = isCreation ? "ROLLBACK" : "UPDATE_ROLLBACK";
        steps.Add(() => stack.TellStack(back + "_IN_PROGRESS", $"The following resource(s) failed to create: [{failed}]. Rollback requested by user."));
        if (isCreation)
            steps.Add(() => { foreach (var id in stack.Resources.Keys.ToList()) stack.Set(id, stack.Resources[id].Type, "DELETE_COMPLETE", null); });
        stack.Begin(verb + "_IN_PROGRESS", back + "_COMPLETE", steps);
    }

    private FakeAnswer Delete(IReadOnlyDictionary<string, string> f)
    {
        var stack = Find(f["StackName"]);
        if (stack is null or { Status: "DELETE_COMPLETE" })
            return Result("DeleteStack", "");
        if (stack.IsProtected)
            return FakeAnswer.QueryError(400, "ValidationError", $"Stack [{stack.Name}] cannot be deleted while TerminationProtection is enabled");
        var retained = f.Where(p => p.Key.StartsWith("RetainResources", StringComparison.Ordinal)).Select(p => p.Value).ToHashSet();
        var steps = new List<Action>();
        var failed = stack.Resources.Keys.FirstOrDefault(id => Fails.ContainsKey("delete " + id) && !retained.Contains(id));
        foreach (var id in stack.Resources.Where(r => r.Value.Status != "DELETE_COMPLETE").Select(r => r.Key))
            steps.Add(() => stack.Set(id, stack.Resources[id].Type, id == failed ? "DELETE_FAILED" : "DELETE_COMPLETE", id == failed ? Fails["delete " + id] : null));
        stack.Begin("DELETE_IN_PROGRESS", failed is null ? "DELETE_COMPLETE" : "DELETE_FAILED", steps);
        return Result("DeleteStack", "");
    }

    // A deleted stack answers by its id only.
    private FakeStack? Find(string nameOrId) => _byId.TryGetValue(nameOrId, out var stack) ? stack : this[nameOrId];

    private FakeAnswer OnStack(IReadOnlyDictionary<string, string> f, Func<FakeStack, FakeAnswer> answer) => Find(f["StackName"]) is { } stack ? answer(stack) : Missing(f["StackName"]);

    private FakeAnswer OnSet(IReadOnlyDictionary<string, string> f, Func<FakeStack, FakeChangeSet, FakeAnswer> answer)
    {
        var named = f["ChangeSetName"];
        foreach (var stack in _byId.Values)
        {
            if (stack.ChangeSets.Find(c => c.Id == named || c.Name == named && f.TryGetValue("StackName", out var of) && of == stack.Name) is { } set)
                return answer(stack, set);
        }
        return FakeAnswer.QueryError(404, "ChangeSetNotFound", $"ChangeSet [{named}] does not exist");
    }

    private static FakeAnswer Missing(string name) => FakeAnswer.QueryError(400, "ValidationError", $"Stack with id {name} does not exist");

    private static FakeAnswer Result(string operation, string inner) => FakeAnswer.Xml($"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>");

    internal static string Element(string name, string? text) => text is null ? "" : $"<{name}>{SecurityElement.Escape(text)}</{name}>";
}

internal sealed class FakeChangeSet(string id, string name, IReadOnlyDictionary<string, string> form)
{
    public string Id { get; } = id;
    public string Name { get; } = name;
    public IReadOnlyDictionary<string, string> Form { get; } = form;
    public string Status { get; set; } = "";
    public string? Reason { get; set; }
    public string Template { get; set; } = "";
    public string Changes { get; set; } = "";
}

internal sealed class FakeStack(string id, string name)
{
    private readonly Queue<Action> _steps = new();

    public string Id { get; } = id;
    public string Name { get; } = name;
    public string Status { get; set; } = "";
    public bool IsProtected { get; set; }
    /// <summary>An operation shows its first event only at the third look, as CloudFormation's answers may lag.</summary>
    public bool IsSlowToBegin { get; set; }
    public string? Template { get; set; }
    public Dictionary<string, string> Tags { get; } = [];
    public Dictionary<string, string> Parameters { get; } = [];
    public Dictionary<string, string> Outputs { get; } = [];
    public Dictionary<string, (string Type, string Status)> Resources { get; } = [];
    public List<string> Events { get; } = [];
    public List<FakeChangeSet> ChangeSets { get; } = [];

    public void Begin(string status, string end, IEnumerable<Action> steps)
    {
        // A deletion breaks off what is under way.
        _steps.Clear();
        if (IsSlowToBegin)
        {
            for (var i = 0; i < 10; i++)
                _steps.Enqueue(i == 0 ? () => Tell("BastionRole", "AWS::IAM::Role", "UPDATE_COMPLETE", "late, of what went before") : () => { });
            _steps.Enqueue(() => TellStack(status, "User Initiated"));
        }
        else
        {
            TellStack(status, "User Initiated");
        }
        foreach (var step in steps)
            _steps.Enqueue(step);
        _steps.Enqueue(() => TellStack(end, null));
    }

    /// <summary>A few steps at a time, so that a look finds something new, and a creation takes several looks.</summary>
    public void Step()
    {
        for (var i = 0; i < 5 && _steps.TryDequeue(out var step); i++)
            step();
    }

    public void Take(FakeChangeSet set, TemplateDocument document, bool isCreation)
    {
        Template = set.Template;
        foreach (var gone in Resources.Keys.Except(document.Resources.Keys).ToList())
            Resources.Remove(gone);
        for (var i = 1; set.Form.TryGetValue($"Parameters.member.{i}.ParameterKey", out var key); i++)
        {
            if (set.Form.TryGetValue($"Parameters.member.{i}.ParameterValue", out var value))
                Parameters[key] = value;
        }
        for (var i = 1; set.Form.TryGetValue($"Tags.member.{i}.Key", out var key); i++)
            Tags[key] = set.Form[$"Tags.member.{i}.Value"];
        if (isCreation)
        {
            foreach (var output in document.Section("Outputs").Keys)
                Outputs[output] = "value-of-" + output;
        }
    }

    public void TellStack(string status, string? reason)
    {
        Status = status;
        Tell(Name, "AWS::CloudFormation::Stack", status, reason);
    }

    public void Set(string id, string type, string status, string? reason)
    {
        Resources[id] = (type, status);
        Tell(id, type, status, reason);
    }

    public void Tell(string logicalId, string type, string status, string? reason) => Events.Add(
        $"<member><EventId>{Events.Count.ToString(CultureInfo.InvariantCulture)}-{Id[^1]}</EventId><StackId>{Id}</StackId><StackName>{Name}</StackName><LogicalResourceId>{logicalId}</LogicalResourceId><PhysicalResourceId>{(logicalId == Name ? Id : "id-" + logicalId)}</PhysicalResourceId><ResourceType>{type}</ResourceType><Timestamp>2026-11-24T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus>{FakeCloudFormation.Element("ResourceStatusReason", reason)}</member>");

    public string Xml()
    {
        var xml = new StringBuilder($"<member><StackId>{Id}</StackId><StackName>{Name}</StackName><StackStatus>{Status}</StackStatus><CreationTime>2026-11-24T00:00:00Z</CreationTime><EnableTerminationProtection>{(IsProtected ? "true" : "false")}</EnableTerminationProtection>");
        xml.Append("<Parameters>").AppendJoin("", Parameters.Select(p => $"<member><ParameterKey>{p.Key}</ParameterKey>{FakeCloudFormation.Element("ParameterValue", p.Value)}</member>")).Append("</Parameters>");
        xml.Append("<Tags>").AppendJoin("", Tags.Select(t => $"<member><Key>{t.Key}</Key>{FakeCloudFormation.Element("Value", t.Value)}</member>")).Append("</Tags>");
        if (Status.EndsWith("_COMPLETE", StringComparison.Ordinal))
            xml.Append("<Outputs>").AppendJoin("", Outputs.Select(o => $"<member><OutputKey>{o.Key}</OutputKey><OutputValue>{o.Value}</OutputValue></member>")).Append("</Outputs>");
        return xml.Append("</member>").ToString();
    }
}
