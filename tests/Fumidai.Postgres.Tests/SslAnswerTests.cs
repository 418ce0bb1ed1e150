using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Xunit;

namespace Fumidai.Postgres.Tests;

public sealed class SslAnswerTests
{
    /// <summary>A refusal as the protocol documentation lays it out ("Error and Notice Message Fields"), with fields we skip.</summary>
    private static readonly byte[] Refusal = Error(
        "SFATAL", "VFATAL", "C28000", "Mno pg_hba.conf entry for host \"127.0.0.1\", user \"app\", database \"app\", no encryption", "Fauth.c", "L542", "RClientAuthentication");

    private static byte[] Error(params string[] fields)
    {
        var body = Encoding.UTF8.GetBytes(string.Concat(fields.Select(f => f + "\0")) + "\0");
        var message = new byte[5 + body.Length];
        message[0] = (byte)'E';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message, 5);
        return message;
    }

    private static (bool Read, SslAnswer? Answer, long Left) Read(ReadOnlySequence<byte> input)
    {
        var read = SslAnswer.TryRead(ref input, out var answer);
        return (read, answer, input.Length);
    }

    private static (bool Read, SslAnswer? Answer, long Left) Read(params byte[] bytes) => Read(new ReadOnlySequence<byte>(bytes));

    [Fact]
    public void The_question_is_length_eight_and_the_code_1234_5679() => Assert.Equal(
        [0x00, 0x00, 0x00, 0x08, 0x04, 0xD2, 0x16, 0x2F], SslRequest.Bytes.ToArray());

    [Fact]
    public void One_byte_answers_and_what_follows_is_left()
    {
        Assert.Equal((true, new SslAnswer(SslAnswerKind.Willing, null), 2L), Read((byte)'S', 1, 2));
        Assert.Equal((true, new SslAnswer(SslAnswerKind.Unwilling, null), 0L), Read((byte)'N'));
        Assert.Equal((false, null, 0L), Read([]));
    }

    [Fact]
    public void An_error_is_read_with_severity_code_and_message()
    {
        var (read, answer, left) = Read(Refusal);
        Assert.True(read);
        Assert.Equal(0, left);
        Assert.Equal("FATAL 28000: no pg_hba.conf entry for host \"127.0.0.1\", user \"app\", database \"app\", no encryption", answer!.Error!.ToString());
    }

    [Fact]
    public void The_untranslated_severity_is_preferred_and_control_characters_go()
    {
        var (_, answer, _) = Read(Error("SFATALE", "VFATAL", "C57P03", "Mil sistema\u001b[31m si avvia\n"));
        Assert.Equal("FATAL 57P03: il sistema [31m si avvia ", answer!.Error!.ToString());
    }

    [Fact]
    public void A_bare_text_of_an_old_or_overloaded_server_is_read_too()
    {
        var (read, answer, left) = Read([.. "Ecould not fork new process for connection\n\0"u8]);
        Assert.True(read);
        Assert.Equal(0, left);
        Assert.Equal("could not fork new process for connection", answer!.Error!.ToString());
    }

    [Fact]
    public void Any_split_reads_alike_and_no_part_is_taken_before_the_whole_is_there() => Gen.Int[0, Refusal.Length].Sample(cut =>
    {
        var whole = Segments.Of(Refusal[..cut], Refusal[cut..]);
        Assert.Equal(Read(Refusal), Read(whole));
        if (cut < Refusal.Length)
            Assert.Equal((false, null, (long)cut), Read(Refusal[..cut]));
    });

    [Theory]
    [InlineData(new byte[] { (byte)'H', (byte)'T', (byte)'T', (byte)'P' })]
    [InlineData(new byte[] { 0x15, 3, 1 })]
    [InlineData(new byte[] { (byte)'E', 0, 0, 0, 3, 0 })]
    [InlineData(new byte[] { (byte)'E', 0, 255, 255, 255, 0 })]
    [InlineData(new byte[] { (byte)'E', 0, 0, 0, 8, (byte)'M', (byte)'x', (byte)'y', (byte)'z' })]
    public void What_is_not_PostgreSQL_is_refused(byte[] bytes) => Assert.Throws<PostgresProtocolException>(() => Read(bytes));

    [Fact]
    public void A_text_without_an_end_is_refused_at_the_bound()
    {
        var endless = new byte[ErrorResponse.MaxLength + 10];
        Array.Fill(endless, (byte)'E');
        Assert.Throws<PostgresProtocolException>(() => Read(endless));
    }

    [Fact]
    public void No_bytes_crash_or_hang_the_reader() => Gen.Byte.Array[0, 64].Sample(bytes =>
    {
        try
        {
            var (read, answer, left) = Read([(byte)'E', .. bytes]);
            Assert.Equal(read, answer is not null);
            Assert.True(left <= bytes.Length + 1);
        }
        catch (PostgresProtocolException)
        {
            // A refusal is an answer.
        }
    }, iter: 20_000);
}

file static class Segments
{
    public static ReadOnlySequence<byte> Of(byte[] first, byte[] second)
    {
        var head = new Segment(first, 0);
        var tail = new Segment(second, first.Length);
        head.Link(tail);
        return new ReadOnlySequence<byte>(head, 0, tail, second.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, long index) => (Memory, RunningIndex) = (bytes, index);

        public void Link(Segment next) => Next = next;
    }
}
