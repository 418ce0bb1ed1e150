namespace Fumidai.Lab;

/// <summary>CloudFormation (aws-facts §1.7). What its templates build is the lab's network.</summary>
internal sealed class CloudFormationService : IAwsService
{
    private readonly StackTable _stacks;
    private readonly TemplateCalls _templates;
    private readonly StackCalls _calls;
    private readonly ChangeSetCalls _changeSets;
    private readonly DriftCalls _drift;

    /// <param name="context"></param>
    /// <param name="services">Those that build what templates say.</param>
    public CloudFormationService(LabContext context, IReadOnlyList<IAwsService> services)
    {
        var calls = new CallsOnBehalf(context, services);
        var journal = new StackJournal(context);
        var inputs = new StackInputs(context, calls);
        var engine = new StackEngine(context, journal, new ResourceSteps(context, calls, journal));
        _stacks = new StackTable(context);
        _templates = new TemplateCalls(_stacks);
        _calls = new StackCalls(context, _stacks, inputs, engine);
        _changeSets = new ChangeSetCalls(context, _stacks, inputs, engine, journal);
        _drift = new DriftCalls(context, _stacks);
    }

    public string SigningName => "cloudformation";
    public AwsProtocol Protocol => AwsProtocol.Query;
    public string TargetPrefixOrVersion => "2010-05-15";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var form = QueryForm.Of(call, Protocol);
        return ValueTask.FromResult(call.Operation switch
        {
            "ValidateTemplate" => _templates.Validate(call, form),
            "GetTemplateSummary" => _templates.Summary(call, form),
            "GetTemplate" => _templates.Get(call, form),
            "CreateStack" => _calls.Create(call, form),
            "UpdateStack" => _calls.Update(call, form),
            "DeleteStack" => _calls.Delete(call, form),
            "ContinueUpdateRollback" => _calls.ContinueRollback(call, form),
            "UpdateTerminationProtection" => _calls.Protect(call, form),
            "DescribeStacks" => _calls.Describe(call, form),
            "ListStacks" => _calls.List(call, form),
            "DescribeStackEvents" => _calls.Events(call, form),
            "DescribeStackResources" => _calls.Resources(call, form),
            "DescribeStackResource" => _calls.Resource(call, form),
            "ListStackResources" => _calls.ListResources(call, form),
            "CreateChangeSet" => _changeSets.Create(call, form),
            "DescribeChangeSet" => _changeSets.Describe(call, form),
            "ExecuteChangeSet" => _changeSets.Execute(call, form),
            "DeleteChangeSet" => _changeSets.Delete(call, form),
            "ListChangeSets" => _changeSets.List(call, form),
            "DetectStackDrift" => _drift.Detect(call, form),
            "DescribeStackDriftDetectionStatus" => _drift.Status(call, form),
            "DescribeStackResourceDrifts" => _drift.Describe(call, form),
            _ => throw ApiDispatch.UnknownOperation(this, call),
        });
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call)
    {
        if (call.Operation is "ValidateTemplate" or "ListStacks" or "DescribeStackDriftDetectionStatus")
            return PolicyResource.Any;
        var form = call.Form!;
        var name = form.GetValueOrDefault("StackName");
        // A change set named by its ARN alone is its stack's.
        if (name is null && form.GetValueOrDefault("ChangeSetName") is { } set)
            name = _stacks.Mine(call).FirstOrDefault(s => s.ChangeSets.Any(c => c.Id == set))?.Id;
        if (name is null)
            return PolicyResource.Any;
        var stack = _stacks.Find(call, name);
        return [new PolicyResource(stack?.Id ?? $"arn:aws:cloudformation:{call.Region}:{call.Caller.Account}:stack/{name}/*", stack?.Tags.ToDictionary(t => $"aws:ResourceTag/{t.Key}", t => t.Value))];
    }

    public IReadOnlyList<(string Action, PolicyResource Resource)> AlsoDemanded(AwsCall call) =>
        call.Operation is "CreateStack" or "UpdateStack" or "CreateChangeSet" && QueryForm.Of(call, Protocol).Has("Tags.member") ? [.. ResourcesOf(call).Select(r => ("cloudformation:TagResource", r))] : [];
}
