using Fumidai.Aws;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class FailureTests
{
    [Fact]
    public void A_failure_of_the_library_is_its_own_sentence()
    {
        var failure = Failure.Of(new FumidaiException(Reason.NoRoute, "cannot start a session on i-0abc", "TargetNotConnected", "Is its agent running?"));

        Assert.Equal("cannot start a session on i-0abc: TargetNotConnected. Is its agent running?", failure.Line);
        Assert.Empty(failure.Causes);
    }

    [Fact]
    public void A_failure_of_AWS_names_operation_code_and_next_step() =>
        Assert.Equal(
            "ssm:StartSession: AccessDeniedException: not authorized. Ask for permission to call ssm:StartSession",
            Failure.Of(new AwsFailure(AwsFailureKind.Permission, "ssm:StartSession", "AccessDeniedException", "not authorized.")).Line);

    [Fact]
    public void An_unexpected_failure_names_its_type_only_and_tells_the_rest_as_causes()
    {
        var failure = Failure.Of(new InvalidOperationException("outer", new FormatException("inner")));

        Assert.Equal("unexpected InvalidOperationException. Run again with --verbose for the cause, and please report it", failure.Line);
        Assert.Equal(["InvalidOperationException: outer", "FormatException: inner"], failure.Causes);
    }

    [Fact]
    public void What_others_wrote_stays_on_one_line_and_does_nothing_to_the_terminal() =>
        Assert.Equal(
            @"a b\u001b[31mc",
            Failure.Of(new IOException("a\r\nb\u001b[31mc")).Line);

    [Fact]
    public void Causes_are_told_outermost_first_and_not_without_end()
    {
        Exception deep = new IOException("deepest");
        for (var i = 0; i < 100; i++)
            deep = new IOException("deep", deep);

        Assert.Equal(20, Failure.Of(deep).Causes.Count);
    }

    [Fact]
    public void Programs_get_the_parts_of_a_failure_one_by_one()
    {
        var refused = new AwsFailure(AwsFailureKind.Refused, "ssm:StartSession", "TargetNotConnected", "not connected");

        Assert.Equal(
            new Dictionary<string, string> { ["what"] = "cannot start a session", ["reason"] = "it is off", ["next"] = "Start it", ["code"] = "TargetNotConnected" },
            Failure.Of(new FumidaiException(Reason.NoRoute, "cannot start a session", "it is off", "Start it", inner: refused)).Members);
        Assert.Equal(
            new Dictionary<string, string> { ["what"] = "ssm:StartSession", ["reason"] = "not connected", ["code"] = "TargetNotConnected" },
            Failure.Of(refused).Members);
        Assert.Empty(Failure.Of(new IOException("x")).Members);
    }
}
