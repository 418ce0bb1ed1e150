using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace Fumidai.Stacks.Tests;

/// <summary>The Terraform text is formatted, and builds what the template builds.</summary>
public sealed class ExportTerraformTests
{
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["AWS::EC2::VPC"] = "aws_vpc",
        ["AWS::EC2::InternetGateway"] = "aws_internet_gateway",
        ["AWS::EC2::Subnet"] = "aws_subnet",
        ["AWS::EC2::RouteTable"] = "aws_route_table",
        ["AWS::EC2::Route"] = "aws_route",
        ["AWS::EC2::SubnetRouteTableAssociation"] = "aws_route_table_association",
        ["AWS::EC2::EIP"] = "aws_eip",
        ["AWS::EC2::NatGateway"] = "aws_nat_gateway",
        ["AWS::EC2::SecurityGroup"] = "aws_security_group",
        ["AWS::EC2::SecurityGroupIngress"] = "aws_vpc_security_group_ingress_rule",
        ["AWS::EC2::VPCEndpoint"] = "aws_vpc_endpoint",
        ["AWS::EC2::InstanceConnectEndpoint"] = "aws_ec2_instance_connect_endpoint",
        ["AWS::RDS::DBSubnetGroup"] = "aws_db_subnet_group",
        ["AWS::RDS::DBCluster"] = "aws_rds_cluster",
        ["AWS::RDS::DBInstance"] = "aws_rds_cluster_instance",
        ["AWS::IAM::Role"] = "aws_iam_role",
        ["AWS::IAM::InstanceProfile"] = "aws_iam_instance_profile",
        ["AWS::EC2::Instance"] = "aws_instance",
    };

    [Fact]
    public async Task Every_combination_is_as_terraform_fmt_writes_it()
    {
        var terraform = TestMachine.Find("terraform");
        Assert.SkipWhen(terraform is null, "terraform is not on PATH");
        var folder = Directory.CreateTempSubdirectory("fumidai-terraform-");
        try
        {
            foreach (var (name, plan) in Sites.All())
                await File.WriteAllTextAsync(Path.Combine(folder.FullName, name + ".tf"), ExportTerraform.Render(plan), TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo(terraform!) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.FullName };
            foreach (var argument in new[] { "fmt", "-check", "-diff", "-no-color" })
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, $"terraform fmt: {process.ExitCode}\n{output[..Math.Min(output.Length, 3000)]}\n{await errors}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void It_builds_each_resource_of_the_template_and_refers_to_nothing_it_has_not()
    {
        foreach (var (name, plan) in Sites.All())
        {
            var text = ExportTerraform.Render(plan);
            var built = Regex.Matches(text, """^resource "([a-z_0-9]+)" "([a-z_0-9]+)" \{""", RegexOptions.Multiline).Select(m => $"{m.Groups[1].Value}.{m.Groups[2].Value}").ToHashSet();
            // An attachment is an attribute of the gateway in Terraform.
            var expected = plan.Creates.Where(c => c.Type != "AWS::EC2::VPCGatewayAttachment").Select(c => $"{Kinds[c.Type]}.{ExportTerraform.NameOf(c.LogicalId)}").ToHashSet();
            Assert.True(expected.IsSubsetOf(built), $"{name}: missing {string.Join(", ", expected.Except(built))}");
            // What it has besides: rules, which a template writes inside the group, and the role's policy.
            Assert.All(built.Except(expected), extra => Assert.Matches("^aws_(vpc_security_group_(in|e)gress_rule|iam_role_policy_attachment)\\.", extra));
            var used = Regex.Matches(text, @"(?<![a-z_.""])(aws_[a-z_]+\.[a-z_0-9]+)(?=[.,\]\[])").Select(m => m.Groups[1].Value).ToHashSet();
            Assert.True(used.IsSubsetOf(built), $"{name}: undefined {string.Join(", ", used.Except(built))}");
            foreach (var (prefix, pattern) in new[] { ("var", """^variable "([a-z_0-9]+)" \{"""), ("local", @"^  ([a-z_]+) += ") })
            {
                var defined = Regex.Matches(text, pattern, RegexOptions.Multiline).Select(m => m.Groups[1].Value).ToHashSet();
                var asked = Regex.Matches(text, $@"(?<![a-z_.]){prefix}\.([a-z_0-9]+)").Select(m => m.Groups[1].Value).ToHashSet();
                Assert.True(asked.IsSubsetOf(defined), $"{name}: no {prefix} {string.Join(", ", asked.Except(defined))}");
                if (prefix == "var")
                    Assert.True(defined.IsSubsetOf(asked), $"{name}: unused {string.Join(", ", defined.Except(asked))}");
            }
            Assert.Equal(text.Count(c => c == '{'), text.Count(c => c == '}'));
            Assert.DoesNotContain("#+", text, StringComparison.Ordinal);
            Assert.DoesNotContain("#-", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Choices_that_matter_are_the_template_s()
    {
        var text = ExportTerraform.Render(Sites.Plan(StackPattern.Both, o => o with { Tags = new Dictionary<string, string> { ["team"] = "data" } }));
        foreach (var choice in new[] { "manage_master_user_password         = true", "enable_http_endpoint                = true", "skip_final_snapshot       = false", "http_tokens                 = \"required\"",
            "private_dns_enabled = true", "\"fumidai:stack\" = var.name, \"team\" = \"data\"", "default = \"203.0.113.7/32\"", "#cloud-boothook", "[ ${var.idle_minutes} -gt 0 ]" })
            Assert.Contains(choice, text, StringComparison.Ordinal);
        Assert.Contains("skip_final_snapshot = true", ExportTerraform.Render(Sites.Plan(change: o => o with { SnapshotOnDelete = false })), StringComparison.Ordinal);
        Assert.DoesNotContain("seconds_until_auto_pause", ExportTerraform.Render(Sites.Plan(change: o => o with { MinAcu = 1 })), StringComparison.Ordinal);
    }
}
