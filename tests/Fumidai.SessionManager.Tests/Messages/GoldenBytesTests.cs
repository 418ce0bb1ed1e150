using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Bytes from the official serializer (protocol §11), not from ours.</summary>
public sealed class GoldenBytesTests
{
    private static readonly Guid Id = new("00112233-4455-4677-8899-aabbccddeeff");
    private const ulong Created = 1700000000123;

    private const string InputType = "696e7075745f73747265616d5f64617461202020202020202020202020202020";
    private const string OutputType = "6f75747075745f73747265616d5f646174612020202020202020202020202020";
    private const string WireId = "8899aabbccddeeff0011223344554677";

    public static TheoryData<string, string> Written => new()
    {
        {
            "V1 smux SYN",
            "00000074" + InputType + "000000010000018bcfe5687b00000000000000010000000000000000" + WireId
            + "30656bde983020b4a04d4fb8027463ad8cd15d89d4b953f961654b1d6579b9b9" + "00000001000000080100000003000000"
        },
        {
            "V2 Flag TerminateSession",
            "00000074" + InputType + "000000010000018bcfe5687b00000000000000070000000000000000" + WireId
            + "433ebf5bc03dffa38536673207a21281612cef5faa9bc7a4d5b9be2fdb12cf1a" + "0000000a0000000400000002"
        },
        {
            "V3 acknowledge",
            "00000074" + "61636b6e6f776c65646765202020202020202020202020202020202020202020" + "000000010000018bcfe5687b00000000000000000000000000000003" + WireId
            + "3e909e4a41d1e2dd0ff9fc57523bf4d688271cb0bb1972b5badb9c359bd8dace" + "00000000000000b0"
            + "7b2241636b6e6f776c65646765644d65737361676554797065223a226f75747075745f73747265616d5f64617461222c"
            + "2241636b6e6f776c65646765644d6573736167654964223a2230303131323233332d343435352d343637372d38383939"
            + "2d616162626363646465656666222c2241636b6e6f776c65646765644d65737361676553657175656e63654e756d6265"
            + "72223a352c22497353657175656e7469616c4d657373616765223a747275657d"
        },
        {
            "V4 HandshakeResponse",
            "00000074" + InputType + "000000010000018bcfe5687b00000000000000000000000000000000" + WireId
            + "651594cbd5932394f34f330d7368764e50a5577b0452185c3531f77996615a46" + "0000000600000093"
            + "7b22436c69656e7456657273696f6e223a22312e322e3736342e30222c2250726f636573736564436c69656e74416374"
            + "696f6e73223a5b7b22416374696f6e54797065223a2253657373696f6e54797065222c22416374696f6e537461747573"
            + "223a312c22416374696f6e526573756c74223a6e756c6c2c224572726f72223a22227d5d2c224572726f7273223a6e75"
            + "6c6c7d"
        },
        {
            "V5 Output with SYN",
            "00000074" + OutputType + "000000010000018bcfe5687b00000000000000050000000000000001" + WireId
            + "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" + "000000010000000568656c6c6f"
        },
        {
            "V9 channel_closed of the service",
            "00000070" + "6368616e6e656c5f636c6f736564000000000000000000000000000000000000" + "000000010000018bcfe5687b00000000000000000000000000000000" + WireId
            + "c33c47b195eafddc804b3a0be734d18b7861e53417695114a82497d0d3a840c5" + "000000f7"
            + Convert.ToHexStringLower("""{"MessageId":"00112233-4455-4677-8899-aabbccddeeff","CreatedDate":"2023-11-14T22:13:20.123Z","DestinationId":"c0ffee00-1111-4222-8333-444455556666","SessionId":"alice-0a1b2c3d4e5f60718","MessageType":"channel_closed","SchemaVersion":1,"Output":""}"""u8)
        },
    };

    private static AgentMessage Message(string name)
    {
        var stream = new AgentMessage(MessageTypes.InputStreamData, 0, MessageFlags.None, Id, PayloadType.Output, default) { CreatedDate = Created };
        switch (name.Split(' ')[0])
        {
            case "V1":
                return stream with { SequenceNumber = 1, Payload = Convert.FromHexString("0100000003000000") };
            case "V2":
                return stream with { SequenceNumber = 7, PayloadType = PayloadType.Flag, Payload = ServiceMessages.WriteFlag(SessionFlag.TerminateSession) };
            case "V3":
                var json = new byte[Acknowledgement.MaxSize];
                var length = Acknowledgement.Write(json, MessageTypes.OutputStreamData, Id, 5);
                return stream with { MessageType = MessageTypes.Acknowledge, Flags = MessageFlags.SynFin, PayloadType = PayloadType.None, Payload = json.AsMemory(0, length) };
            case "V4":
                var response = new HandshakeResponse("1.2.764.0", [new(ActionTypes.SessionType, ActionStatus.Success, null, "")], null);
                return stream with { PayloadType = PayloadType.HandshakeResponse, Payload = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(response, MessageJson.Relaxed.HandshakeResponse) };
            case "V5":
                return stream with { MessageType = MessageTypes.OutputStreamData, SequenceNumber = 5, Flags = MessageFlags.Syn, Payload = "hello"u8.ToArray() };
            default:
                return ServiceMessages.ChannelClosed("alice-0a1b2c3d4e5f60718", "c0ffee00-1111-4222-8333-444455556666", "", Id, DateTimeOffset.FromUnixTimeMilliseconds((long)Created));
        }
    }

    [Theory]
    [MemberData(nameof(Written))]
    public void A_message_is_written_as_the_official_ends_write_it(string name, string hex) =>
        Assert.Equal(hex, Convert.ToHexStringLower(Message(name).ToArray()));

    [Theory]
    [MemberData(nameof(Written))]
    public void What_the_official_ends_write_is_read(string name, string hex)
    {
        Assert.True(AgentMessage.TryParse(Convert.FromHexString(hex), out var read, out var fault), $"{fault}");
        var expected = Message(name);
        Assert.Equal(expected with { Payload = default }, read with { Payload = default });
        Assert.Equal(expected.Payload.ToArray(), read.Payload.ToArray());
    }

    [Fact]
    public void V7_a_payload_is_sealed_with_AES_GCM_and_opens_on_the_other_side()
    {
        var key = Enumerable.Range(0, 64).Select(i => (byte)(i % 32)).ToArray();       // both halves are the vector's key
        var sealedHello = Convert.FromHexString("a0a1a2a3a4a5a6a7a8a9aaab" + "8e7d10412a" + "b469edeb6fa84bae4731a07dbf70c564");
        using var client = new SessionCipher(key, isAgent: false);
        Assert.True(client.TryOpen(sealedHello, out var plaintext));
        Assert.Equal("hello"u8.ToArray(), sealedHello[plaintext]);
    }

    [Fact]
    public void V8_the_resend_time_follows_the_official_formula()
    {
        var roundTrip = new RoundTripTime();
        Assert.Equal(200, roundTrip.ResendAfter.TotalMilliseconds);
        roundTrip.Add(TimeSpan.FromMilliseconds(20));
        Assert.Equal(170, roundTrip.ResendAfter.TotalMilliseconds);
        roundTrip.Add(TimeSpan.FromMilliseconds(20));
        Assert.Equal(211.25, roundTrip.ResendAfter.TotalMilliseconds);
        roundTrip.Add(TimeSpan.FromSeconds(2));
        Assert.Equal(1000, roundTrip.ResendAfter.TotalMilliseconds);
    }

    [Fact]
    public void V10_the_halves_of_a_message_id_are_swapped()
    {
        var frame = new AgentMessage("x", 0, MessageFlags.None, new("812ef34f-87bd-449e-a3de-282f478ba6e6"), PayloadType.None, default) { CreatedDate = 1 }.ToArray();
        Assert.Equal("a3de282f478ba6e6812ef34f87bd449e", Convert.ToHexStringLower(frame.AsSpan(64, 16)));
    }
}
