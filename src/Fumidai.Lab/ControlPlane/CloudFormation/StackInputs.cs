namespace Fumidai.Lab;

/// <summary>Reads what a call wants to deploy: template, parameters, tags, capabilities; and refuses what does not fit.</summary>
internal sealed class StackInputs(LabContext context, CallsOnBehalf calls)
{
    /// <summary>Everything that can be told from the call alone.</summary>
    /// <exception cref="AwsError">ValidationError, InsufficientCapabilitiesException.</exception>
    public StackInput Read(AwsCall call, QueryForm form, Stack? stack)
    {
        var template = TemplateOf(form, stack);
        var capabilities = form.Texts("Capabilities.member");
        if (template.Capability() is { Capability: { } needed } && !capabilities.Contains("CAPABILITY_NAMED_IAM") && !(needed == "CAPABILITY_IAM" && capabilities.Contains("CAPABILITY_IAM")))
            throw new AwsError("InsufficientCapabilitiesException", $"Requires capabilities : [{needed}]");
        var parameters = Parameters(form, template, stack);
        var resolved = Resolved(call, template, parameters);
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        if (form.Has("Tags.member"))
        {
            foreach (var tag in form.Structures("Tags.member"))
            {
                var key = form.Required($"{tag}.Key");
                if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                    throw Template.Wrong($"1 validation error detected: Value '{key}' at 'tags' failed to satisfy constraint: aws: prefixed tag key names are not allowed for external use.");
                tags[key] = form.Text($"{tag}.Value") ?? "";
            }
        }
        else
        {
            foreach (var (key, value) in stack?.Tags ?? [])
                tags[key] = value;
        }
        if (tags.Count > 50)
            throw Template.Wrong("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50");
        return new StackInput(template, parameters, resolved, tags, capabilities);
    }

    public static Template TemplateOf(QueryForm form, Stack? stack)
    {
        if (form.Text("TemplateURL") is not null)
            throw Template.Wrong("TemplateURL must reference a valid S3 object to which you have access. (This lab has no S3.)");
        if (form.Text("TemplateBody") is { Length: > 0 } body)
            return form.Flag("UsePreviousTemplate") == true ? throw Template.Wrong("You cannot specify both usePreviousTemplate and Template Body/Template URL.") : Template.Parse(body);
        if (form.Flag("UsePreviousTemplate") == true && stack is not null)
            return stack.Input?.Template ?? throw Template.Wrong("No previous template exists for this stack.");
        throw Template.Wrong("Either Template URL or Template Body must be specified.");
    }

    private static Dictionary<string, string> Parameters(QueryForm form, Template template, Stack? stack)
    {
        var given = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var prefix in form.Structures("Parameters.member"))
        {
            var key = form.Required($"{prefix}.ParameterKey");
            if (form.Flag($"{prefix}.UsePreviousValue") == true)
                given[key] = stack?.Input?.Parameters.GetValueOrDefault(key);
            else
                given[key] = form.Text($"{prefix}.ParameterValue");
        }
        if (given.Keys.Where(k => template.Parameters.All(p => p.Name != k)).ToList() is { Count: > 0 } unknown)
            throw Template.Wrong($"Parameters: [{string.Join(", ", unknown)}] do not exist in the template");
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var declared in template.Parameters)
        {
            if ((given.GetValueOrDefault(declared.Name) ?? declared.Default) is { } value)
                values[declared.Name] = value;
            else
                missing.Add(declared.Name);
        }
        if (missing.Count > 0)
            throw Template.Wrong($"Parameters: [{string.Join(", ", missing)}] must have values");
        foreach (var declared in template.Parameters)
            declared.Check(values[declared.Name]);
        return values;
    }

    /// <summary>Values of SSM parameters, with the caller's permission; and whether ids of EC2's are of something that is there.</summary>
    private Dictionary<string, string> Resolved(AwsCall call, Template template, Dictionary<string, string> values)
    {
        var resolved = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var declared in template.Parameters)
        {
            var value = values[declared.Name];
            if (declared.IsSsm)
            {
                calls.Demand(call.Caller, call.Region, "ssm:GetParameters", PublicParameters.Arn(call.Region, value), AwsProtocol.Query);
                value = PublicParameters.ValueOf(value) ?? throw Template.Wrong($"Unable to fetch parameters [{value}] from parameter store for this account.");
                resolved[declared.Name] = value;
            }
            var kind = declared.Kind.StartsWith("List<", StringComparison.Ordinal) ? declared.Kind[5..^1] : declared.Kind;
            foreach (var one in declared.IsList ? ParameterDeclaration.Split(value) : [value])
            {
                if (kind.StartsWith("AWS::EC2::", StringComparison.Ordinal) && !Exists(call, kind, one))
                    throw Template.Wrong($"Parameter validation failed: parameter value {one} for parameter name {declared.Name} does not exist");
            }
        }
        return resolved;
    }

    private bool Exists(AwsCall call, string kind, string id) => context.Model.Read(m =>
    {
        bool Mine(Resource? r) => r is not null && r.Account == call.Caller.Account && r.Region == call.Region;
        return kind switch
        {
            "AWS::EC2::VPC::Id" => Mine(m.Vpcs.GetValueOrDefault(id)),
            "AWS::EC2::Subnet::Id" => Mine(m.Subnets.GetValueOrDefault(id)),
            "AWS::EC2::SecurityGroup::Id" => Mine(m.SecurityGroups.GetValueOrDefault(id)),
            "AWS::EC2::Instance::Id" => Mine(m.Instances.GetValueOrDefault(id)),
            "AWS::EC2::AvailabilityZone::Name" => ZonesCalls.Of(call.Region).Contains(id),
            "AWS::EC2::Image::Id" => id.StartsWith("ami-", StringComparison.Ordinal),
            // The lab has no key pairs.
            _ => false,
        };
    });
}
