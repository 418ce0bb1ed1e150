using Xunit;

namespace Fumidai.Tests;

/// <summary>The binary format of the gateway's values, against bytes that PostgreSQL's own send functions give.</summary>
public sealed class BinaryValueTests
{
    [Theory]
    [InlineData(16, "t", "01")]
    [InlineData(17, "\\x00ff", "00FF")]
    [InlineData(21, "-2", "FFFE")]
    [InlineData(23, "7", "00000007")]
    [InlineData(20, "-1", "FFFFFFFFFFFFFFFF")]
    [InlineData(701, "1.5", "3FF8000000000000")]
    [InlineData(701, "Infinity", "7FF0000000000000")]
    [InlineData(1700, "12345.678", "00030001000000030001" + "0929" + "1A7C")]
    [InlineData(1700, "-0.00010", "0001" + "FFFF" + "4000" + "0005" + "0001")]
    [InlineData(1700, "0", "0000000000000000")]
    [InlineData(1700, "NaN", "00000000C0000000")]
    [InlineData(1082, "2000-01-01", "00000000")]
    [InlineData(1082, "1999-12-31", "FFFFFFFF")]
    [InlineData(1082, "2000-03-01", "0000003C")]
    [InlineData(1082, "infinity", "7FFFFFFF")]
    [InlineData(1083, "00:00:01.5", "000000000016E360")]
    [InlineData(1114, "2000-01-02 00:00:01.5", "000000141DEE4360")]
    [InlineData(1184, "2000-01-02 09:00:01.5+09", "000000141DEE4360")]
    [InlineData(1186, "1 year 2 mons 3 days 00:00:01", "00000000000F4240" + "00000003" + "0000000E")]
    [InlineData(2950, "00112233-4455-6677-8899-aabbccddeeff", "00112233445566778899AABBCCDDEEFF")]
    [InlineData(3802, "{}", "017B7D")]
    [InlineData(869, "10.0.0.1/8", "02080004" + "0A000001")]
    [InlineData(1560, "1010", "00000004A0")]
    [InlineData(1007, "{1,NULL}", "00000001" + "00000001" + "00000017" + "00000002" + "00000001" + "00000004" + "00000001" + "FFFFFFFF")]
    [InlineData(1007, "{}", "00000000" + "00000000" + "00000017")]
    [InlineData(1009, "[2:2]={\"a,\\\"\"}", "00000001" + "00000000" + "00000019" + "00000001" + "00000002" + "00000003" + "612C22")]
    public void A_text_becomes_the_bytes_that_the_server_would_send(uint oid, string text, string bytes) =>
        Assert.Equal(bytes, Convert.ToHexString(BinaryValue.Write(PostgresTypes.BuiltIn(oid)!, text)));

    [Theory]
    [InlineData(1700, "-98765432101234567890.000100")]
    [InlineData(1700, "0.00")]
    [InlineData(1082, "0044-03-15 BC")]
    [InlineData(1082, "12345-12-31")]
    [InlineData(1114, "1999-12-31 23:59:59.999999")]
    [InlineData(1114, "0001-01-01 00:00:00 BC")]
    [InlineData(1184, "-infinity")]
    [InlineData(1560, "101010101")]
    [InlineData(829, "08:00:2b:01:02:03")]
    [InlineData(700, "1.1")]
    [InlineData(1001, "{\"\\\\x00\",NULL}")]
    public void What_was_written_is_read_again(uint oid, string text)
    {
        var type = PostgresTypes.BuiltIn(oid)!;
        Assert.Equal(text, TextValue.Read(type, BinaryValue.Write(type, text)).Replace("+00", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(600, "(1,2)")]
    [InlineData(23, "x")]
    public void What_has_no_binary_form_here_is_refused(uint oid, string text) =>
        Assert.Equal("0A000", Assert.Throws<SqlFailure>(() => BinaryValue.Write(PostgresTypes.BuiltIn(oid)!, text)).Code);

    [Fact]
    public void A_null_is_no_empty_value()
    {
        var body = new BodyReader(new byte[] { 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1, 65 });
        Assert.Null(body.Value());
        Assert.Equal(0, body.Value()!.Value.Length);
        Assert.Equal("A"u8.ToArray(), body.Value()!.Value.ToArray());
        body.End();
    }

    [Fact]
    public void Bytes_that_are_no_value_are_an_error_and_nothing_worse()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            foreach (var oid in (uint[])[16, 20, 701, 1700, 1082, 1114, 1186, 1007, 1009, 869, 1560, 3802])
            {
                try
                {
                    _ = TextValue.Read(PostgresTypes.BuiltIn(oid)!, bytes);
                }
                catch (SqlFailure failure)
                {
                    Assert.Equal("22P03", failure.Code);
                }
            }
        }
    }
}
