namespace Fumidai.Lab;

/// <summary>Which of AWS's wire protocols a service speaks.</summary>
internal enum AwsProtocol
{
    /// <summary>Form body, XML answer (RDS, STS, IAM, CloudFormation).</summary>
    Query,
    /// <summary>EC2's dialect of it.</summary>
    Ec2,
    /// <summary>X-Amz-Target, JSON both ways.</summary>
    Json11,
    /// <summary>The operation by method and path, JSON both ways, the error's name in a header.</summary>
    RestJson,
}

/// <summary>Who calls, as proven by the signature.</summary>
/// <param name="Account">Twelve digits.</param>
/// <param name="Arn">User or assumed role.</param>
/// <param name="UserId">AIDA… or AROA…:session.</param>
/// <param name="SessionNamePrefix">What Session Manager puts before session ids: user name or role session name.</param>
internal sealed record Caller(string Account, string Arn, string UserId, string SessionNamePrefix);

/// <summary>One verified call. Exactly one of Form and Json is set, by the service's protocol.</summary>
/// <param name="Operation">e.g. <c>DescribeInstances</c>.</param>
/// <param name="Region">From the credential scope.</param>
/// <param name="Caller"></param>
/// <param name="Form">Query and Ec2: the parameters.</param>
/// <param name="Json">Json11 and RestJson: the body.</param>
internal sealed record AwsCall(string Operation, string Region, Caller Caller, IReadOnlyDictionary<string, string>? Form, System.Text.Json.JsonElement? Json);

/// <summary>The answer's body: the service's JSON object, or the XML inside the result element.</summary>
internal abstract record AwsAnswer
{
    /// <summary>JSON text.</summary>
    internal sealed record Json(string Body) : AwsAnswer;
    /// <summary>XML elements inside <c>OperationResult</c> (Query) or <c>OperationResponse</c> (Ec2); the frame and request id are the server's.</summary>
    internal sealed record Xml(string Inner) : AwsAnswer;
}

/// <summary>An answer that is an error, in AWS's own shape.</summary>
internal sealed class AwsError(string code, string message, int status = 400) : Exception(message)
{
    public string Code { get; } = code;
    public int Status { get; } = status;
}

/// <summary>One emulated service. An operation it does not model must be answered as AWS answers an unknown one, never with a made-up success.</summary>
internal interface IAwsService
{
    /// <summary>Signing name, e.g. <c>ssm</c>.</summary>
    string SigningName { get; }
    /// <summary>What stands before the colon of its actions in policies.</summary>
    string PolicyPrefix => SigningName;
    AwsProtocol Protocol { get; }
    /// <summary>Json11: what stands before the dot in X-Amz-Target; Query: the API version.</summary>
    string TargetPrefixOrVersion { get; }
    /// <summary>RestJson: the operation of a method and path; null: none.</summary>
    string? OperationAt(string method, string path) => null;

    ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken);

    /// <summary>What the call touches, for the caller's policies: each is demanded before the call is answered. Action is <c>PREFIX:Operation</c>.</summary>
    IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call) => PolicyResource.Any;

    /// <summary>What else the caller must be allowed, since the service does it on the caller's behalf: passing a role, tagging what is made.</summary>
    IReadOnlyList<(string Action, PolicyResource Resource)> AlsoDemanded(AwsCall call) => [];
}
