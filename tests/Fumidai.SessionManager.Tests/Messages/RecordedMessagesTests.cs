using Fumidai.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Every single message of vectors/messages.json, with the verdict of the official program that receives it.</summary>
public sealed class RecordedMessagesTests
{
    // Headers of 112 bytes with fewer than four bytes of payload: the official readers stumble over the field that is not there (protocol §2.1).
    private static readonly HashSet<string> ReadByUsOnly =
    [
        "service_start_publication_112_no_payload", "service_pause_publication_112_no_payload", "service_channel_closed_112_empty_payload",
        "service_channel_closed_not_json",
    ];

    public static TheoryData<string> Names => [.. Vectors.Messages.Where(v => !v.IsSmux && v.Bytes is not null).Select(v => v.Name)];

    private static bool Parse(MessageVector vector, out AgentMessage message) =>
        AgentMessage.TryParse(vector.Bytes, out message, out _, verifyDigest: vector.Receiver == "plugin");

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_is_taken_or_dropped_as_its_official_receiver_does(string name)
    {
        var vector = Vectors.Message(name);
        var official = vector.HeaderAcceptedBy(vector.Receiver!) ?? throw new InvalidDataException("no verdict");
        Assert.Equal(official || ReadByUsOnly.Contains(name), Parse(vector, out _));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_fields_of_a_message_are_read_as_recorded(string name)
    {
        var vector = Vectors.Message(name);
        if (!Parse(vector, out var message)) return;       // the test above judges that
        var fields = vector.Fields;
        Assert.Equal(fields.GetProperty("headerLength").GetInt32(), message.HeaderLength);
        Assert.Equal(fields.GetProperty("messageType").GetString(), message.MessageType);
        Assert.Equal(fields.GetProperty("schemaVersion").GetUInt32(), message.SchemaVersion);
        Assert.Equal(fields.GetProperty("createdDate").GetUInt64(), message.CreatedDate);
        Assert.Equal(fields.GetProperty("sequenceNumber").GetInt64(), message.SequenceNumber);
        Assert.Equal(fields.GetProperty("flags").GetUInt64(), (ulong)message.Flags);
        Assert.Equal(fields.GetProperty("messageId").GetString(), message.MessageId.ToString());
        Assert.Equal(vector.Bytes!.Length - message.HeaderLength - 4, message.Payload.Length);
        if (message.HeaderLength == 116) Assert.Equal(fields.GetProperty("payloadType").GetUInt32(), (uint)message.PayloadType);
    }

    [Fact]
    public void Every_message_of_an_official_serializer_is_written_again_byte_for_byte()
    {
        var written = 0;
        foreach (var vector in Vectors.Messages.Where(v => !v.IsSmux && v.Bytes is not null && v.MadeBy is "plugin" or "agent"))
        {
            if (!Parse(vector, out var message)) continue;
            Assert.Equal(Convert.ToHexStringLower(vector.Bytes!), Convert.ToHexStringLower(message.ToArray()));
            written++;
        }
        Assert.Equal(70, written);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_payload_that_its_receiver_parses_at_once_is_judged_alike(string name)
    {
        var vector = Vectors.Message(name);
        if (!Parse(vector, out var message)) return;
        var payload = message.Payload.Span;
        bool? ours = (message.MessageType, message.PayloadType) switch
        {
            (MessageTypes.Acknowledge, _) => Acknowledgement.TryRead(payload, out _),
            (_, PayloadType.HandshakeRequest) => MessageJson.TryRead(payload, MessageJson.Relaxed.HandshakeRequest) is not null,
            (_, PayloadType.HandshakeResponse) => MessageJson.TryRead(payload, MessageJson.Relaxed.HandshakeResponse) is not null,
            (_, PayloadType.HandshakeComplete) => MessageJson.TryRead(payload, MessageJson.Relaxed.HandshakeComplete) is not null,
            (_, PayloadType.EncChallengeRequest or PayloadType.EncChallengeResponse) => MessageJson.TryRead(payload, MessageJson.Relaxed.EncryptionChallenge) is not null,
            _ => null,
        };
        if (ours is { } verdict) Assert.Equal(vector.Accepted, verdict);
    }

    [Fact]
    public void An_acknowledgement_in_another_shape_is_read_by_its_number()
    {
        Assert.True(Parse(Vectors.Message("client_ack_extra_and_missing_fields"), out var message));
        Assert.True(Acknowledgement.TryRead(message.Payload.Span, out var number));
        Assert.Equal(7, number);
        Assert.True(Parse(Vectors.Message("client_ack_of_output_big"), out message));
        Assert.True(Acknowledgement.TryRead(message.Payload.Span, out number));
        Assert.Equal(1L << 40, number);
    }

    [Theory]
    [InlineData("{\"AcknowledgedMessageSequenceNumber\":5}", 5L)]
    [InlineData("{\"AcknowledgedMessageSequence\\u004eumber\":5}", 5L)]
    [InlineData(" { \"X\" : [1,{\"AcknowledgedMessageSequenceNumber\":9}], \"ACKNOWLEDGEDMESSAGESEQUENCENUMBER\" : 6 } ", 6L)]
    [InlineData("{\"AcknowledgedMessageSequenceNumber\":5.5}", null)]
    [InlineData("{\"AcknowledgedMessageSequenceNumber\":99999999999999999999}", null)]
    [InlineData("{\"AcknowledgedMessageSequenceNumber\":5", null)]
    [InlineData("{\"AcknowledgedMessageSequenceNumber\":5}x", null)]
    [InlineData("{}", null)]
    [InlineData("[]", null)]
    [InlineData("", null)]
    [InlineData("{\"AcknowledgedMessageType\":\"output_stream_data\",\"AcknowledgedMessageId\":\"00112233-4455-4677-8899-aabbccddeeff\",\"AcknowledgedMessageSequenceNumber\":007,\"IsSequentialMessage\":true}", null)]
    public void An_acknowledgement_payload_is_read_or_refused(string json, long? expected)
    {
        var read = Acknowledgement.TryRead(System.Text.Encoding.UTF8.GetBytes(json), out var number);
        Assert.Equal(expected, read ? number : null);
    }

    [Fact]
    public void Words_of_channel_closed_are_read_and_its_absence_is_no_obstacle()
    {
        Assert.True(Parse(Vectors.Message("service_channel_closed_112_output"), out var message));
        Assert.NotEqual("", ServiceMessages.ReadChannelClosedOutput(message.Payload.Span));
        Assert.Equal("", ServiceMessages.ReadChannelClosedOutput("x"u8));
    }
}
