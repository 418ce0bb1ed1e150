using Fumidai.Aws;
using Fumidai.Lab;
using Fumidai.SessionManager;
using Fumidai.Stacks;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class ExitCodesTests
{
    public static TheoryData<Exception, int> Table => new()
    {
        { new FumidaiException(Reason.Failed, "x"), 1 },
        { new FumidaiException(Reason.Usage, "x"), 2 },
        { new FumidaiException(Reason.Configuration, "x"), 3 },
        { new FumidaiException(Reason.AwsAccess, "x"), 4 },
        { new FumidaiException(Reason.NotFound, "x"), 5 },
        { new FumidaiException(Reason.NoRoute, "x"), 6 },
        { new FumidaiException(Reason.RouteLost, "x"), 7 },
        { new FumidaiException(Reason.SignIn, "x"), 8 },
        { new AwsFailure(AwsFailureKind.Credentials, "o", null, "m"), 4 },
        { new AwsFailure(AwsFailureKind.Permission, "o", null, "m"), 4 },
        { new AwsFailure(AwsFailureKind.Configuration, "o", null, "m"), 3 },
        { new AwsFailure(AwsFailureKind.NotFound, "o", null, "m"), 5 },
        { new AwsFailure(AwsFailureKind.Throttled, "o", null, "m"), 1 },
        { new AwsFailure(AwsFailureKind.Network, "o", null, "m"), 1 },
        { new AwsFailure(AwsFailureKind.Refused, "o", null, "m"), 1 },
        { new LabException("m"), 1 },
        { new StackFailure(StackFailureReason.Usage, "m"), 2 },
        { new StackFailure(StackFailureReason.NotFound, "m"), 5 },
        { new StackFailure(StackFailureReason.Failed, "m"), 1 },
        { new SessionEndedException(new SessionEnd(SessionEndKind.Lost, "m")), 1 },
        { new IOException("m"), 1 },
        { new InvalidOperationException("m"), 1 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Each_failure_has_its_exit_code(Exception failure, int code)
    {
        Assert.Equal(code, ExitCodes.Of(failure));
        Assert.Equal(code, Failure.Of(failure).ExitCode);
    }

    [Fact]
    public void The_table_has_every_reason_and_every_kind_of_AWS_failure()
    {
        var failures = Table.Select(row => row.Data.Item1).ToArray();

        Assert.Equal(Enum.GetValues<Reason>().Order(), failures.OfType<FumidaiException>().Select(f => f.Reason).Order());
        Assert.Equal(Enum.GetValues<AwsFailureKind>().Order(), failures.OfType<AwsFailure>().Select(f => f.Kind).Order());
    }

    [Fact]
    public void Signals_end_as_shells_expect_it()
    {
        Assert.Equal(130, ExitCodes.Interrupted);
        Assert.Equal(143, ExitCodes.Terminated);
        Assert.Equal(129, ExitCodes.HungUp);
    }

    [Fact]
    public void The_documentation_lists_every_code()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "cli.md"));

        foreach (var code in (int[])[0, 1, 2, 3, 4, 5, 6, 7, 8, 129, 130, 143])
            Assert.Contains($"\n| {code} |", page, StringComparison.Ordinal);
    }
}
