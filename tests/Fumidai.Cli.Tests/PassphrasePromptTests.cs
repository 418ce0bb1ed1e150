using System.Text;
using Xunit;

namespace Fumidai.Cli.Tests;

public sealed class PassphrasePromptTests
{
    [Theory]
    [InlineData("open sesame\r", "open sesame")]
    [InlineData("wrong\x7f\x7f\x7f\x7f\x7fright\n", "right")]
    [InlineData("鍵\x7fkey\r", "key")]
    [InlineData("\r", "")]
    public void What_is_typed_up_to_Enter_is_the_passphrase(string typed, string expected) =>
        Assert.Equal(expected, PassphrasePrompt.Read(new MemoryStream(Encoding.UTF8.GetBytes(typed))));

    [Theory]
    [InlineData("abc\x03")]
    [InlineData("abc\x04")]
    [InlineData("abc")]
    public void Ctrl_C_Ctrl_D_and_the_end_of_input_give_up(string typed) =>
        Assert.Null(PassphrasePrompt.Read(new MemoryStream(Encoding.UTF8.GetBytes(typed))));
}
