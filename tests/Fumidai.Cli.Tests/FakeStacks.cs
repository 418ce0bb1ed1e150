using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Fumidai.Aws.Tests;

namespace Fumidai.Cli.Tests;

/// <summary>
/// An account with CloudFormation in it, as far as the verbs about stacks ask: change sets, events, outputs, deletion. What it was asked to build is
/// there at once; <see cref="Steps"/> makes an operation take so many looks. Statuses and texts are those of aws-facts §1.
/// </summary>
internal sealed partial class FakeStacks : IAsyncDisposable
{
    private const string Account = "111122223333";
    private readonly FakeAws _server;
    private readonly Lock _gate = new();
    private readonly List<(string Id, string Logical, string Type, string Status, string Reason)> _events = [];
    private readonly Dictionary<string, string> _resources = new(StringComparer.Ordinal);
    private Dictionary<string, string> _parameters = [];
    private Dictionary<string, string> _tags = [];
    private Dictionary<string, string>? _proposed;
    private string _template = "";
    private string _proposedTemplate = "";
    private Dictionary<string, string> _proposedTags = [];
    private Dictionary<string, string> _proposedParameters = [];
    private string? _changeSetFailure;
    private Action? _end;
    private int _looks;
    private int _serial;
    private StopSignals? _signals;

    public FakeStacks() => _server = new FakeAws(Answer);

    public string Url => _server.Url;

    public string Name { get; private set; } = "";

    /// <summary>The stack's status; null: there is none.</summary>
    public string? Status { get; set; }

    /// <summary>How many times a stack is seen busy before an operation ends.</summary>
    public int Steps { get; set; }

    /// <summary>A resource that cannot be created, and why.</summary>
    public (string Logical, string Reason)? Fails { get; set; }

    /// <summary>ARNs that the tags' index names.</summary>
    public List<string> Tagged { get; } = [];

    /// <summary>The caller's address.</summary>
    public string MyIp { get; set; } = "203.0.113.7";

    /// <summary>Answers instead of the model's own.</summary>
    public Func<FakeRequest, FakeAnswer?> Instead { get; set; } = _ => null;

    /// <summary>Whether a command that looks at a stack at work is stopped right there, and sees nothing more.</summary>
    public bool StopsWhileBusy { get; set; }

    public IReadOnlyDictionary<string, string> Parameters => _parameters;

    public IReadOnlyCollection<string> Resources => _resources.Keys;

    public IEnumerable<FakeRequest> Of(string operation) => _server.Of(operation);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>Runs the command against this account.</summary>
    public Task<InProcess> RunAsync(string folder, params string[] words) => RunAsync(folder, null, words);

    /// <summary>The same with somebody at the terminal.</summary>
    public Task<InProcess> RunAsync(string folder, IQuestions? questions, params string[] words) => InProcess.RunAsync(
        [.. words, "--region", "ap-northeast-1", "--endpoint-url", Url], new Dictionary<string, string>(StringComparer.Ordinal) { ["FUMIDAI_MY_IP_URL"] = Url + "/my-ip" }, folder,
        Steps > 0 ? new QuickTime() : TimeProvider.System, questions, _signals = new StopSignals());

    private string StackId => $"arn:aws:cloudformation:ap-northeast-1:{Account}:stack/{Name}/0f0f";

    private FakeAnswer Answer(FakeRequest request)
    {
        lock (_gate)
        {
            if (StopsWhileBusy && request.Operation == "DescribeStacks" && Status?.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) == true && Status != "REVIEW_IN_PROGRESS")
                _signals!.Stop(ExitCodes.Interrupted);
            return Instead(request) ?? Model(request);
        }
    }

    private FakeAnswer Model(FakeRequest request)
    {
        var form = request.Form;
        switch (request.Operation.Split('.')[^1])
        {
            case "GET /my-ip":
                return new FakeAnswer(200, MyIp + "\n", "text/plain");
            case "GetCallerIdentity":
                return Xml("GetCallerIdentity", $"<Account>{Account}</Account><Arn>arn:aws:iam::{Account}:user/alice</Arn><UserId>AIDAX</UserId>");
            case "GetParameter":
                return FakeAnswer.Ok("""{"Parameter":{"Name":"x","Type":"String","Value":"ami-0123456789abcdef0"}}""");
            case "DescribeDBEngineVersions":
                return Xml("DescribeDBEngineVersions", "<DBEngineVersions><DBEngineVersion><EngineVersion>17.4</EngineVersion></DBEngineVersion></DBEngineVersions>");
            case "DescribeDBClusters":
                return Xml("DescribeDBClusters", "<DBClusters/>");
            case "DescribeDBInstances":
                return Xml("DescribeDBInstances", "<DBInstances/>");
            case "DescribeVpcs":
                return Ec2("DescribeVpcs", "<vpcSet/>");
            case "DescribeInstances":
                return Ec2("DescribeInstances", form.TryGetValue("InstanceId.1", out var id)
                    ? $"<reservationSet><item><instancesSet><item><instanceId>{id}</instanceId><instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet>" : "<reservationSet/>");
            case "DescribeInstanceInformation":
                return FakeAnswer.Ok("""{"InstanceInformationList":[]}""");
            case "DescribeSessions":
                return FakeAnswer.Ok("""{"Sessions":[{"SessionId":"alice-0123","Target":"i-1","Owner":"arn:aws:iam::111122223333:user/alice","StartDate":1795500000}]}""");
            case "GetResources":
                return FakeAnswer.Ok($$"""{"ResourceTagMappingList":[{{string.Join(',', Tagged.Select(t => $$"""{"ResourceARN":"{{t}}"}"""))}}]}""");
            case "CreateChangeSet":
                return Create(form);
            case "DescribeChangeSet":
                return Describe();
            case "DeleteChangeSet":
                _proposed = null;
                return Xml("DeleteChangeSet", "");
            case "ExecuteChangeSet":
                Execute();
                return Xml("ExecuteChangeSet", "");
            case "DeleteStack":
                Delete();
                return Xml("DeleteStack", "");
            case "DescribeStacks":
                return Look(form.GetValueOrDefault("StackName"));
            case "GetTemplate":
                return Xml("GetTemplate", new XElement("TemplateBody", _template).ToString());
            case "DescribeStackEvents":
                return Xml("DescribeStackEvents", $"<StackEvents>{string.Concat(_events.AsEnumerable().Reverse().Select(Event))}</StackEvents>");
            case "ListStackResources":
                return Xml("ListStackResources", $"<StackResourceSummaries>{string.Concat(_resources.Select(Summary))}</StackResourceSummaries>");
            case "DetectStackDrift":
                return Xml("DetectStackDrift", "<StackDriftDetectionId>d-1</StackDriftDetectionId>");
            case "DescribeStackDriftDetectionStatus":
                return Xml("DescribeStackDriftDetectionStatus", "<DetectionStatus>DETECTION_COMPLETE</DetectionStatus>");
            case "DescribeStackResourceDrifts":
                return Xml("DescribeStackResourceDrifts", "<StackResourceDrifts><member><LogicalResourceId>BastionGroup</LogicalResourceId><PhysicalResourceId>sg-1</PhysicalResourceId><ResourceType>AWS::EC2::SecurityGroup</ResourceType>"
                    + "<StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus><PropertyDifferences><member><PropertyPath>/GroupDescription</PropertyPath><ExpectedValue>a</ExpectedValue><ActualValue>b</ActualValue></member></PropertyDifferences></member></StackResourceDrifts>");
            default:
                return new FakeAnswer(400, $"<ErrorResponse><Error><Code>InvalidAction</Code><Message>{request.Operation}</Message></Error></ErrorResponse>", "text/xml");
        }
    }

    private FakeAnswer Create(IReadOnlyDictionary<string, string> form)
    {
        var isCreation = form["ChangeSetType"] == "CREATE";
        if (isCreation && Status is not (null or "DELETE_COMPLETE" or "REVIEW_IN_PROGRESS"))
            return FakeAnswer.QueryError(400, "AlreadyExistsException", $"Stack [{Name}] already exists");
        if (isCreation)
        {
            Name = form["StackName"];
            if (Status != "REVIEW_IN_PROGRESS")
                _events.Clear();
            Status = "REVIEW_IN_PROGRESS";
            Add(Name, "AWS::CloudFormation::Stack", "REVIEW_IN_PROGRESS");
        }
        _proposedTemplate = form.GetValueOrDefault("TemplateBody", _template);
        _proposedParameters = Members(form, "Parameters").ToDictionary(p => p.Key, p => p.Value ?? _parameters[p.Key]);
        _proposedTags = form.Keys.Any(k => k.StartsWith("Tags.", StringComparison.Ordinal)) ? Members(form, "Tags").ToDictionary(p => p.Key, p => p.Value ?? "") : _tags;
        _proposed = TypesOf(_proposedTemplate);
        _changeSetFailure = !isCreation && _proposedTemplate == _template && Same(_proposedParameters, _parameters) && Same(_proposedTags, _tags)
            ? "The submitted information didn't contain changes. Submit different information to create a change set." : null;
        return Xml("CreateChangeSet", $"<Id>arn:change-set</Id><StackId>{StackId}</StackId>");
    }

    private FakeAnswer Describe()
    {
        if (_changeSetFailure is { } failure)
            return Xml("DescribeChangeSet", $"<Status>FAILED</Status><StatusReason>{failure}</StatusReason>");
        var changes = _proposed!.Where(r => !_resources.ContainsKey(r.Key)).Select(r => Change("Add", r.Key, r.Value, ""))
            .Concat(_resources.Where(r => !_proposed!.ContainsKey(r.Key)).Select(r => Change("Remove", r.Key, r.Value, "")))
            .Concat(_proposedParameters.Where(p => _parameters.TryGetValue(p.Key, out var old) && old != p.Value).Select(p => Change("Modify", p.Key == "CallerCidr" ? "PublicGroup" : "Cluster", "AWS::X::Y", "<Replacement>False</Replacement>")));
        return Xml("DescribeChangeSet", $"<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><StackId>{StackId}</StackId><Changes>{string.Concat(changes)}</Changes>");
    }

    private void Execute()
    {
        var isCreation = Status == "REVIEW_IN_PROGRESS";
        var word = isCreation ? "CREATE" : "UPDATE";
        (_template, _parameters, _tags) = (_proposedTemplate, _proposedParameters, _proposedTags);
        Begin(word);
        _end = () =>
        {
            foreach (var gone in _resources.Keys.Except(_proposed!.Keys).ToList())
            {
                Add(gone, _resources[gone], "DELETE_COMPLETE");
                _resources.Remove(gone);
            }
            foreach (var (logical, type) in _proposed!.Where(r => !_resources.ContainsKey(r.Key)).ToList())
            {
                Add(logical, type, "CREATE_IN_PROGRESS");
                if (Fails is { } fails && fails.Logical == logical)
                {
                    Add(logical, type, "CREATE_FAILED", fails.Reason);
                    Add(Name, "AWS::CloudFormation::Stack", "ROLLBACK_IN_PROGRESS", $"The following resource(s) failed to create: [{logical}].");
                    _resources.Clear();
                    End("ROLLBACK_COMPLETE");
                    return;
                }
                Add(logical, type, "CREATE_COMPLETE");
                _resources.Add(logical, type);
            }
            End(word + "_COMPLETE");
        };
        if (Steps == 0)
            _end();
    }

    private void Delete()
    {
        if (Status is null or "DELETE_COMPLETE")
            return;
        Begin("DELETE");
        _end = () =>
        {
            foreach (var (logical, type) in _resources.Reverse())
                Add(logical, type, "DELETE_COMPLETE");
            _resources.Clear();
            End("DELETE_COMPLETE");
        };
        if (Steps == 0)
            _end();
    }

    private void Begin(string word)
    {
        Status = word + "_IN_PROGRESS";
        _looks = Steps;
        Add(Name, "AWS::CloudFormation::Stack", Status, "User Initiated");
    }

    private void End(string status)
    {
        Status = status;
        _end = null;
        Add(Name, "AWS::CloudFormation::Stack", status);
    }

    private FakeAnswer Look(string? name)
    {
        if (_end is { } end && _looks-- <= 0)
            end();
        if (name is null)
            return Xml("DescribeStacks", $"<Stacks>{(Status is null or "DELETE_COMPLETE" ? "" : Stack())}</Stacks>");
        if (Status is null || name != Name && name != StackId || Status == "DELETE_COMPLETE" && name == Name)
            return FakeAnswer.QueryError(400, "ValidationError", $"Stack with id {name} does not exist");
        return Xml("DescribeStacks", $"<Stacks>{Stack()}</Stacks>");
    }

    private string Stack()
    {
        var outputs = new Dictionary<string, string>(StringComparer.Ordinal);
        if (_resources.ContainsKey("Cluster"))
            outputs["ClusterId"] = Name.ToLowerInvariant() + "-cluster-x1";
        return $"<member><StackId>{StackId}</StackId><StackName>{Name}</StackName><StackStatus>{Status}</StackStatus><CreationTime>2026-11-24T00:00:00Z</CreationTime>"
            + $"<Parameters>{Pairs(_parameters, "ParameterKey", "ParameterValue")}</Parameters><Outputs>{Pairs(outputs, "OutputKey", "OutputValue")}</Outputs><Tags>{Pairs(_tags, "Key", "Value")}</Tags></member>";
    }

    private void Add(string logical, string type, string status, string reason = "") =>
        _events.Add((string.Create(CultureInfo.InvariantCulture, $"e-{++_serial}"), logical, type, status, reason));

    private string Event((string Id, string Logical, string Type, string Status, string Reason) one) =>
        $"<member><EventId>{one.Id}</EventId><StackId>{StackId}</StackId><LogicalResourceId>{one.Logical}</LogicalResourceId><PhysicalResourceId>{(one.Logical == Name ? StackId : Physical(one.Logical))}</PhysicalResourceId>"
        + $"<ResourceType>{one.Type}</ResourceType><ResourceStatus>{one.Status}</ResourceStatus><ResourceStatusReason>{one.Reason}</ResourceStatusReason></member>";

    private static string Summary(KeyValuePair<string, string> resource) =>
        $"<member><LogicalResourceId>{resource.Key}</LogicalResourceId><PhysicalResourceId>{Physical(resource.Key)}</PhysicalResourceId><ResourceType>{resource.Value}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>";

    private static string Physical(string logical) => logical switch { "PrivateBastion" => "i-1", "PublicBastion" => "i-2", _ => logical.ToLowerInvariant() + "-x1" };

    private static string Change(string action, string logical, string type, string more) =>
        $"<member><ResourceChange><Action>{action}</Action><LogicalResourceId>{logical}</LogicalResourceId><ResourceType>{type}</ResourceType>{more}</ResourceChange></member>";

    private static string Pairs(Dictionary<string, string> of, string key, string value) =>
        string.Concat(of.Select(p => new XElement("member", new XElement(key, p.Key), new XElement(value, p.Value)).ToString()));

    private static bool Same(Dictionary<string, string> a, Dictionary<string, string> b) => a.Count == b.Count && a.All(p => b.GetValueOrDefault(p.Key) == p.Value);

    private static IEnumerable<(string Key, string? Value)> Members(IReadOnlyDictionary<string, string> form, string list)
    {
        var (key, value) = list == "Tags" ? ("Key", "Value") : ("ParameterKey", "ParameterValue");
        for (var i = 1; form.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"{list}.member.{i}.{key}"), out var name); i++)
            yield return (name, form.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"{list}.member.{i}.{value}")));
    }

    private static Dictionary<string, string> TypesOf(string template)
    {
        var start = template.IndexOf("\nResources:", StringComparison.Ordinal);
        var end = template.IndexOf("\nOutputs:", StringComparison.Ordinal);
        return ResourceType().Matches(template[start..end]).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value, StringComparer.Ordinal);
    }

    private static FakeAnswer Xml(string operation, string result) => FakeAnswer.Xml($"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>");

    private static FakeAnswer Ec2(string operation, string body) => FakeAnswer.Xml(new StringBuilder("<").Append(operation).Append("Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">").Append(body).Append("</").Append(operation).Append("Response>").ToString());

    [GeneratedRegex(@"^  (\w+):\n    Type: (AWS::\S+)$", RegexOptions.Multiline)]
    private static partial Regex ResourceType();
}
