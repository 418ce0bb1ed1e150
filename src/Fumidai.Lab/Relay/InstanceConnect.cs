using System.Buffers.Binary;

namespace Fumidai.Lab;

/// <summary>The <c>ec2-instance-connect</c> service: SendSSHPublicKey with its errors (aws-facts §1.3, §6.2).</summary>
/// <param name="context"></param>
/// <param name="push">Hands a key (type and base64) to an instance's sshd for a user.</param>
internal sealed class InstanceConnect(LabContext context, Action<string, string, string> push) : IAwsService
{
    public string SigningName => "ec2-instance-connect";
    public AwsProtocol Protocol => AwsProtocol.Json11;
    public string TargetPrefixOrVersion => "AWSEC2InstanceConnectService";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        if (call.Operation != "SendSSHPublicKey")
            throw ApiDispatch.UnknownOperation(this, call);
        var body = new JsonBody(call.Json!.Value);
        var instanceId = body.Required("InstanceId");
        var user = body.Required("InstanceOSUser");
        var key = body.Required("SSHPublicKey");
        if (!(instanceId.Length is >= 10 and <= 32 && instanceId.StartsWith("i-", StringComparison.Ordinal)))
            throw new AwsError("InvalidArgsException", "Instance ID is invalid");
        if (user.Length is < 1 or > 32 || !user.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '@'))
            throw new AwsError("InvalidArgsException", "Instance OS user is invalid");
        if (PublicKey(key) is not { } clean)
            throw new AwsError("InvalidArgsException", "SSH public key is invalid: RSA and ED25519 keys in OpenSSH's form are accepted");
        var instance = context.Model.Read(model => model.Instances.TryGetValue(instanceId, out var found) && found.Account == call.Caller.Account && found.Region == call.Region && found.State != "terminated"
            ? (found.State, found.AvailabilityZone)
            : default((string State, string Zone)?));
        if (instance is not { } at)
            throw new AwsError("EC2InstanceNotFoundException", "Instance not found");
        if (body.Text("AvailabilityZone") is { } zone && zone != at.Zone)
            throw new AwsError("InvalidArgsException", "The specified Availability Zone is not the instance's");
        if (at.State != "running")
            throw new AwsError("EC2InstanceStateInvalidException", "Instance is not in a valid state for connection");
        push(instanceId, user, clean);
        return ValueTask.FromResult<AwsAnswer>(JsonBody.Write(json =>
        {
            json.WriteString("RequestId", Guid.NewGuid());
            json.WriteBoolean("Success", true);
        }));
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call)
    {
        var body = call.Json!.Value;
        return [new($"arn:aws:ec2:{call.Region}:{call.Caller.Account}:instance/{body.Text("InstanceId")}", new Dictionary<string, string> { ["ec2:osuser"] = body.Text("InstanceOSUser") ?? "" })];
    }

    /// <summary>Type and base64 of a key, checked against each other; options, comments and further lines do not come through.</summary>
    internal static string? PublicKey(string text)
    {
        var fields = text.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (text.Trim().Contains('\n', StringComparison.Ordinal) || fields.Length < 2 || fields[0] is not ("ssh-ed25519" or "ssh-rsa") || fields[1].Length > 4096)
            return null;
        var blob = new byte[fields[1].Length];
        if (!Convert.TryFromBase64String(fields[1], blob, out var length) || length < 4)
            return null;
        var typeLength = BinaryPrimitives.ReadInt32BigEndian(blob);
        if (typeLength != fields[0].Length || length < 4 + typeLength || !System.Text.Ascii.Equals(blob.AsSpan(4, typeLength), fields[0]))
            return null;
        return fields[0] == "ssh-ed25519" && length != 51 ? null : $"{fields[0]} {fields[1]}";
    }
}
