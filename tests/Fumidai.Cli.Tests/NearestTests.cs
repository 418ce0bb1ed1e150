using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class NearestTests
{
    private static readonly string[] Known = ["targets", "connect", "tunnel", "exec", "lab", "plugin"];

    [Theory]
    [InlineData("conect", "connect")]
    [InlineData("conenct", "connect")]
    [InlineData("CONNECT", "connect")]
    [InlineData("conn", "connect")]
    [InlineData("tunel", "tunnel")]
    [InlineData("exce", "exec")]
    [InlineData("lba", "lab")]
    [InlineData("target", "targets")]
    [InlineData("doctor", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void A_slip_of_the_finger_is_understood_and_another_word_is_not(string typed, string? meant) =>
        Assert.Equal(meant, Nearest.To(typed, Known));
}
