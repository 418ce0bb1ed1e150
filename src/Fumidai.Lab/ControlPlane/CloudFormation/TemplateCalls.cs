namespace Fumidai.Lab;

/// <summary>What CloudFormation tells of templates.</summary>
internal sealed class TemplateCalls(StackTable stacks)
{
    public AwsAnswer Validate(AwsCall call, QueryForm form)
    {
        var template = StackInputs.TemplateOf(form, null);
        var x = new XmlText().List("Parameters", "member", template.Parameters, (p, one) => p.Element("ParameterKey", one.Name).Element("DefaultValue", one.Default).Element("NoEcho", one.IsHidden).Element("Description", one.Description))
            .Element("Description", template.Description);
        return Capabilities(x, template).ToAnswer();
    }

    public AwsAnswer Summary(AwsCall call, QueryForm form)
    {
        var template = form.Text("StackName") is { } name ? stacks.Demand(call, name).Input?.Template ?? throw StackTable.Missing(name) : StackInputs.TemplateOf(form, null);
        var x = new XmlText().List("Parameters", "member", template.Parameters, (p, one) => p.Element("ParameterKey", one.Name).Element("DefaultValue", one.Default).Element("ParameterType", one.Type).Element("NoEcho", one.IsHidden)
            .Element("Description", one.Description).Group("ParameterConstraints", c => c.Texts("AllowedValues", "member", one.AllowedValues)))
            .Element("Description", template.Description).Texts("ResourceTypes", "member", template.Resources.Values.Select(r => r.Type).Distinct()).Element("Version", template.Root["AWSTemplateFormatVersion"]?.Value);
        return Capabilities(x, template).ToAnswer();
    }

    public AwsAnswer Get(AwsCall call, QueryForm form)
    {
        var template = form.Text("ChangeSetName") is not null ? stacks.DemandChangeSet(call, form).Set.Input.Template
            : stacks.Demand(call, form.Required("StackName")) is var stack ? stack.Input?.Template ?? throw Template.Wrong($"Stack {stack.Name} has no template yet") : null;
        return new XmlText().Element("TemplateBody", template!.Body).Texts("StagesAvailable", "member", ["Original", "Processed"]).ToAnswer();
    }

    private static XmlText Capabilities(XmlText x, Template template) => template.Capability() is { Capability: { } capability } needed
        ? x.Texts("Capabilities", "member", [capability]).Element("CapabilitiesReason", needed.Reason)
        : x;
}
