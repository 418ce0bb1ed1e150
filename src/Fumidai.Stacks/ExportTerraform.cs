using System.Globalization;
using System.Text;

namespace Fumidai.Stacks;

/// <summary>The same architecture as Terraform text, for who keeps infrastructure there. Resource names are the templates' logical ids in Terraform's spelling.</summary>
public static class ExportTerraform
{
    /// <summary>The lowest version of the AWS provider whose words are used.</summary>
    private const string Provider = ">= 6.0";

    /// <summary>One file, <c>main.tf</c>, formatted as <c>terraform fmt</c> would.</summary>
    public static string Render(StackPlan plan)
    {
        var (options, site) = (plan.Options, plan.Site);
        var words = StackPlan.Words(options, site, null);
        var body = string.Join("\n\n", Parts(options, site).Select(part => Part(part, words, plan)));
        var text = new StringBuilder($$"""
            # {{Description(plan)}}, as fumidai up --name {{options.Name}} builds it.

            terraform {
              required_providers {
                aws = {
                  source  = "hashicorp/aws"
                  version = "{{Provider}}"
                }
              }
            }

            provider "aws" {
              default_tags {
                tags = local.tags
              }
            }

            data "aws_region" "here" {}

            data "aws_partition" "here" {}


            """.ReplaceLineEndings("\n"));
        var locals = Locals(site, body);
        text.Append("locals {\n  tags = ").Append(Tags(options)).Append("\n}\n\n");
        if (locals.Count > 0)
        {
            var width = locals.Max(l => l.Name.Length);
            text.Append("locals {\n");
            foreach (var (name, value) in locals)
                text.Append(CultureInfo.InvariantCulture, $"  {name.PadRight(width)} = {value}\n");
            text.Append("}\n\n");
        }
        var all = text + body + "\n";
        return all + string.Concat(Variables(plan).Where(v => v.Name == "name" || all.Contains("var." + v.Name, StringComparison.Ordinal) && System.Text.RegularExpressions.Regex.IsMatch(all, $@"var\.{v.Name}\b")).Select(Variable));
    }

    /// <summary>The Terraform name of a template's logical id: <c>PublicSubnetA</c> is <c>public_subnet_a</c>.</summary>
    public static string NameOf(string logicalId)
    {
        var name = new StringBuilder();
        foreach (var (i, c) in logicalId.Index())
        {
            if (i > 0 && char.IsAsciiLetterUpper(c))
                name.Append('_');
            name.Append(char.ToLowerInvariant(c));
        }
        return name.ToString();
    }

    private static IEnumerable<string> Parts(StackOptions options, StackSite site)
    {
        var endpoints = options.EffectiveEndpoints;
        if (site.VpcId is null)
            yield return "network";
        if (endpoints.IsNat)
            yield return "nat";
        yield return "groups";
        if (endpoints.Interfaces.Any())
            yield return "endpoints";
        foreach (var service in endpoints.Services)
            yield return service == "s3" ? "s3" : "endpoint-" + service;
        yield return options.BuildsCluster ? "aurora" : "attach";
        yield return "role";
        if (options.HasPrivateBastion)
            yield return "bastion-private";
        if (options.HasConnectEndpoint)
            yield return "connect-endpoint";
        if (options.HasPublicBastion)
            yield return "bastion-public";
    }

    private static string Part(string name, HashSet<string> words, StackPlan plan)
    {
        var text = new StringBuilder();
        var isEmpty = false;
        foreach (var line in TemplateWords.Apply(Resources.Lines($"terraform/{name}.tf"), words, []))
        {
            if (line.Trim() is "#include private" or "#include public")
            {
                foreach (var script in UserData(plan.Template, line.Contains("private", StringComparison.Ordinal) ? "PrivateBastion" : "PublicBastion"))
                    text.Append("    ").Append(script.Replace("${IdleMinutes}", "${var.idle_minutes}", StringComparison.Ordinal)).Append('\n');
                continue;
            }
            // A line that was left out may leave two empty ones together.
            if (line.Length == 0 && isEmpty)
                continue;
            isEmpty = line.Length == 0;
            text.Append(line).Append('\n');
        }
        return text.Replace("\n\n}\n", "\n}\n").Replace("\n\n  }\n", "\n  }\n").ToString().TrimEnd();
    }

    /// <summary>The script is written once, in the template.</summary>
    private static IEnumerable<string> UserData(string template, string bastion) => template.Split('\n').SkipWhile(l => l != $"  {bastion}:")
        .SkipWhile(l => !l.StartsWith("        Fn::Base64:", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.StartsWith("          ", StringComparison.Ordinal)).Select(l => l[10..]);

    private static List<(string Name, string Value)> Locals(StackSite site, string body)
    {
        var isNew = site.VpcId is null;
        (string, string)[] all =
        [
            ("vpc", isNew ? "aws_vpc.vpc.id" : "var.vpc"),
            ("private_subnet_a", isNew ? "aws_subnet.private_subnet_a.id" : "var.private_subnet_a"),
            ("private_subnet_b", isNew ? "aws_subnet.private_subnet_b.id" : "var.private_subnet_b"),
            ("public_subnet_a", isNew ? "aws_subnet.public_subnet_a.id" : "var.public_subnet_a"),
            ("private_route_table", isNew ? "aws_route_table.private_route_table.id" : "var.private_route_table"),
        ];
        return [.. all.Where(l => body.Contains("local." + l.Item1, StringComparison.Ordinal))];
    }

    private static IEnumerable<(string Name, string Type, string Value)> Variables(StackPlan plan)
    {
        yield return ("name", "string", Quoted(plan.Name));
        foreach (var (name, value) in PlanValues.Of(plan.Options, plan.Site, null))
        {
            if (name is "MasterUsername" or PlanValues.Image)
                continue;
            yield return name switch
            {
                "MinAcu" or "MaxAcu" or "AutoPauseSeconds" or "ClusterPort" or "IdleMinutes" => (NameOf(name), "number", value),
                "DeletionProtection" => (NameOf(name), "bool", value),
                _ => (NameOf(name), "string", Quoted(value)),
            };
        }
    }

    private static string Variable((string Name, string Type, string Value) variable) => $"\nvariable \"{variable.Name}\" {{\n  type    = {variable.Type}\n  default = {variable.Value}\n}}\n";

    private static string Tags(StackOptions options) =>
        "{ " + string.Join(", ", options.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{Quoted(t.Key)} = {Quoted(t.Value)}").Prepend($"\"{StackPlan.OwnerTag}\" = var.name")) + " }";

    private static string Description(StackPlan plan) => plan.Template.Split('\n')[1]["Description: \"fumidai: ".Length..^1] is var text ? char.ToUpperInvariant(text[0]) + text[1..] : "";

    private static string Quoted(string text) => TemplateComposer.Quoted(text).Replace("${", "$${", StringComparison.Ordinal).Replace("%{", "%%{", StringComparison.Ordinal);
}
