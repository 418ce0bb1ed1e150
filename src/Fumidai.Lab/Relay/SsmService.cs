namespace Fumidai.Lab;

/// <summary>The <c>ssm</c> service: sessions, managed instances, session documents, AWS's public image parameters (aws-facts §1.1).</summary>
internal sealed class SsmService(LabContext context, SessionOperations sessions, InstanceInformation instances) : IAwsService
{
    public string SigningName => "ssm";
    public AwsProtocol Protocol => AwsProtocol.Json11;
    public string TargetPrefixOrVersion => "AmazonSSM";

    public async ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var body = new JsonBody(call.Json!.Value);
        return call.Operation switch
        {
            "StartSession" => await sessions.StartAsync(call, body).ConfigureAwait(false),
            "ResumeSession" => sessions.Resume(call, body),
            "TerminateSession" => sessions.Terminate(call, body),
            "DescribeSessions" => sessions.Describe(call, body),
            "GetConnectionStatus" => instances.ConnectionStatus(call, body),
            "DescribeInstanceInformation" => instances.Describe(call, body),
            "UpdateInstanceInformation" => instances.Update(call, body),
            "GetDocument" => PublicDocuments.Get(context.Model, call, body),
            "CreateDocument" => PreferencesDocument.Create(context.Model, call, body),
            "UpdateDocument" => PreferencesDocument.Update(context.Model, call, body),
            "DeleteDocument" => PreferencesDocument.Delete(context.Model, call, body),
            "GetParameter" => PublicParameters.Get(call, body),
            "GetParameters" => PublicParameters.GetMany(call, body),
            "GetParametersByPath" => PublicParameters.ByPath(call, body),
            _ => throw ApiDispatch.UnknownOperation(this, call),
        };
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call) => call.Operation switch
    {
        "StartSession" => sessions.ResourcesOfStart(call),
        "ResumeSession" or "TerminateSession" => sessions.ResourcesOfSession(call),
        "GetDocument" or "CreateDocument" or "UpdateDocument" or "DeleteDocument" => [new(PublicDocuments.Arn(call.Region, call.Json!.Value.Text("Name") ?? ""))],
        "GetParameter" => [new(PublicParameters.Arn(call.Region, call.Json!.Value.Text("Name") ?? ""))],
        _ => PolicyResource.Any,
    };
}
