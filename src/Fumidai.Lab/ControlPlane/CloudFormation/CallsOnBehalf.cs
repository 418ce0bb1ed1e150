using System.Xml.Linq;

namespace Fumidai.Lab;

/// <summary>
/// The calls that CloudFormation makes with the permissions of whoever asked for the stack: the same operations that clients call, so what a template
/// builds is what these would have built, and what a policy does not allow fails here too.
/// </summary>
internal sealed class CallsOnBehalf(LabContext context, IReadOnlyList<IAwsService> services)
{
    /// <summary>Answers the elements of the operation's result below one root.</summary>
    /// <exception cref="AwsError">As a client gets it.</exception>
    public async Task<XElement> AskAsync(Caller caller, string region, string service, string operation, IReadOnlyDictionary<string, string> parameters, CancellationToken cancellationToken)
    {
        var asked = services.First(s => s.SigningName == service);
        var call = new AwsCall(operation, region, caller, parameters, null);
        try
        {
            context.Permissions.Demand(asked, call, new PolicyOrigin(region, null, true));
            var answer = (AwsAnswer.Xml)await asked.AnswerAsync(call, cancellationToken).ConfigureAwait(false);
            return XElement.Parse($"<answer>{answer.Inner}</answer>");
        }
        catch (AwsError error)
        {
            throw new HandlerError(error, service);
        }
    }

    /// <summary>Demands a permission of the caller for something that has no operation here.</summary>
    public void Demand(Caller caller, string region, string action, string arn, AwsProtocol protocol) =>
        context.Permissions.Demand(caller, action, new PolicyResource(arn), new PolicyOrigin(region, null, true), protocol);
}

/// <summary>An error of a call made for a resource, in the words in which CloudFormation's resource handlers pass it on.</summary>
internal sealed class HandlerError(AwsError inner, string service) : Exception(Words(inner, service), inner)
{
    public AwsError Error => inner;

    /// <summary>What was to be removed is gone already.</summary>
    public bool IsNotFound => inner.Code.Contains("NotFound", StringComparison.Ordinal) || inner.Code == "NoSuchEntity";

    private static string Words(AwsError error, string service)
    {
        var code = error.Code switch
        {
            "UnauthorizedOperation" or "AccessDenied" => "AccessDenied",
            _ when error.Code.Contains("NotFound", StringComparison.Ordinal) || error.Code == "NoSuchEntity" => "NotFound",
            _ when error.Code.Contains("LimitExceeded", StringComparison.Ordinal) => "ServiceLimitExceeded",
            _ when error.Code.Contains("AlreadyExists", StringComparison.Ordinal) || error.Code.Contains("Duplicate", StringComparison.Ordinal) => "AlreadyExists",
            "DependencyViolation" => "ResourceConflict",
            _ => "InvalidRequest",
        };
        var name = service switch { "ec2" => "Ec2", "rds" => "Rds", _ => "Iam" };
        return $"Resource handler returned message: \"{error.Message} (Service: {name}, Status Code: {error.Status}, Request ID: {Guid.NewGuid()})\" (RequestToken: {Guid.NewGuid()}, HandlerErrorCode: {code})";
    }
}
