using System.Text.Json;
using CsCheck;
using Xunit;

namespace Fumidai.SessionManager.Tests;

public sealed class MuxFrameTests
{
    [Theory]
    [InlineData("0100000003000000", 0, 3, "")]
    [InlineData("010205000300000068656c6c6f", 2, 3, "68656c6c6f")]
    [InlineData("0101000003000000", 1, 3, "")]
    [InlineData("0103000000000000", 3, 0, "")]
    public void The_golden_frames_are_read_and_written_byte_for_byte(string hex, int command, uint id, string data)
    {
        var golden = Convert.FromHexString(hex);
        Assert.Equal(golden, TestBytes.Frame((MuxCommand)command, id, Convert.FromHexString(data)));

        var reader = new MuxFrameReader();
        ReadOnlySpan<byte> input = golden;
        Assert.True(reader.TryRead(ref input, out var part));
        Assert.Equal((MuxCommand)command, part.Command);
        Assert.Equal(id, part.StreamId);
        Assert.Equal(Convert.FromHexString(data), part.Data.ToArray());
        Assert.False(reader.TryRead(ref input, out _));
        Assert.False(reader.IsInsideFrame);
    }

    [Fact]
    public void A_window_update_of_version_2_is_a_protocol_error_and_one_with_version_1_is_swallowed()
    {
        Assert.Throws<MuxProtocolException>(() => Parts(Convert.FromHexString("02040800030000000080000000000100")));
        Assert.Equal(["Psh 3 61"], Parts(Convert.FromHexString("01040800030000000080000000000100" + "010201000300000061")));
    }

    [Fact]
    public void Half_a_header_is_not_yet_a_frame_and_nothing_of_it_is_lost()
    {
        Assert.False(MuxFrameHeader.TryRead(Convert.FromHexString("01020500030000"), out _));
        var reader = new MuxFrameReader();
        ReadOnlySpan<byte> first = Convert.FromHexString("010205000300");
        Assert.False(reader.TryRead(ref first, out _));
        Assert.True(first.IsEmpty);
        Assert.True(reader.IsInsideFrame);
        ReadOnlySpan<byte> second = Convert.FromHexString("000068656c6c6f");
        Assert.True(reader.TryRead(ref second, out var part));
        Assert.Equal("hello"u8.ToArray(), part.Data.ToArray());
    }

    public static TheoryData<string> Recorded => [.. SmuxVectors().Select(vector => vector.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public async Task The_stock_server_and_ours_make_the_same_of_the_same_bytes(string name)
    {
        var vector = SmuxVectors().Single(each => each.GetProperty("name").GetString() == name);
        var server = vector.GetProperty("server");
        var isProtocolError = vector.GetProperty("error").GetString() == "invalid protocol";

        foreach (var chunk in new[] { int.MaxValue, 1, 7 })
        {
            var session = new MuxSession(new PayloadPair().Agent, MuxRole.Server, TimeSpan.Zero, TimeProvider.System);
            var failed = false;
            try
            {
                foreach (var piece in Bytes(vector).Chunk(chunk)) session.Receive(piece);
            }
            catch (MuxProtocolException)
            {
                failed = true;
            }
            Assert.Equal(isProtocolError, failed);

            foreach (var expected in server.GetProperty("streams").EnumerateArray())
            {
                var stream = await session.AcceptAsync(CancellationToken.None).AsTask().Soon();
                Assert.Equal(expected.GetProperty("id").GetUInt32(), stream!.Id);
                var data = expected.GetProperty("dataHex").GetString()!;
                var received = stream.Input.TryRead(out var read) ? System.Buffers.BuffersExtensions.ToArray(read.Buffer) : [];
                if (data.Contains("sha256", StringComparison.Ordinal)) Assert.EndsWith(TestBytes.Sha256(received), data, StringComparison.Ordinal);
                // The stock reader gathers a whole frame first; ours hands its beginning on.
                else if (name == "smux_psh_partial") Assert.Equal("ab"u8.ToArray(), received);
                else Assert.Equal(data, Convert.ToHexStringLower(received));
                Assert.Equal(expected.GetProperty("readEnd").GetString() == "EOF", read.IsCompleted);
            }

            if (failed) continue;
            try
            {
                session.Receive(TestBytes.Frame(MuxCommand.Syn, 4242));
            }
            catch (MuxProtocolException)
            {
                Assert.False(server.GetProperty("acceptsNewStreamAfterwards").GetBoolean());
                continue;
            }
            using var soon = new CancellationTokenSource();
            var another = session.AcceptAsync(soon.Token).AsTask();
            Assert.Equal(server.GetProperty("acceptsNewStreamAfterwards").GetBoolean(), another.IsCompletedSuccessfully && (await another)!.Id == 4242);
            await soon.CancelAsync();
        }
    }

    [Fact]
    public void Any_cut_of_the_bytes_parses_alike()
        => Gen.Select(Frames, Gen.Int[1, 40].Array[1, 20]).Sample((frames, cuts) =>
        {
            var bytes = frames.SelectMany(frame => frame).ToArray();
            Assert.Equal(Joined(Parts(bytes)), Joined(PartsInPieces(bytes, cuts)));
        }, iter: 500);

    [Fact]
    public void No_bytes_crash_hang_or_grow_the_reader()
        => Gen.Select(Gen.OneOf(Gen.Byte.Array[0, 300], Frames.Select(frames => frames.SelectMany(frame => frame).ToArray())), Gen.Int[0, 400], Gen.Byte, Gen.Int[1, 64])
            .Sample((bytes, at, value, cut) =>
            {
                if (at < bytes.Length) bytes[at] = value;
                var reader = new MuxFrameReader();
                var given = 0;
                try
                {
                    foreach (var piece in bytes.Chunk(cut))
                    {
                        ReadOnlySpan<byte> input = piece;
                        while (reader.TryRead(ref input, out var part)) given += part.Data.Length;
                        Assert.True(input.IsEmpty);
                    }
                }
                catch (MuxProtocolException)
                {
                    // The other answer a reader may give.
                }
                Assert.InRange(given, 0, bytes.Length);
            }, iter: 5000);

    private static Gen<byte[][]> Frames => Gen.OneOf(
        Gen.UInt[0, 9].Select(id => TestBytes.Frame(MuxCommand.Syn, id)),
        Gen.UInt[0, 9].Select(id => TestBytes.Frame(MuxCommand.Fin, id)),
        Gen.Const(TestBytes.Frame(MuxCommand.Nop, 0)),
        Gen.Select(Gen.UInt[0, 9], Gen.Byte.Array[0, 100], (id, data) => TestBytes.Frame(MuxCommand.Psh, id, data))).Array[0, 30];

    private static List<string> Parts(byte[] bytes) => PartsInPieces(bytes, [int.MaxValue]);

    private static List<string> PartsInPieces(byte[] bytes, int[] cuts)
    {
        var reader = new MuxFrameReader();
        var parts = new List<string>();
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
            ReadOnlySpan<byte> input = bytes.AsSpan(at, length);
            while (reader.TryRead(ref input, out var part)) parts.Add($"{part.Command} {part.StreamId} {Convert.ToHexStringLower(part.Data)}".TrimEnd());
            at += length;
        }
        return parts;
    }

    // Where a PSH was cut is not part of its meaning.
    private static string Joined(List<string> parts)
    {
        var text = new System.Text.StringBuilder();
        var last = "";
        foreach (var part in parts)
        {
            var words = part.Split(' ');
            var key = $"{words[0]} {words[1]}";
            if (words[0] != "Psh" || key != last) text.Append('|').Append(key).Append(' ');
            if (words.Length > 2) text.Append(words[2]);
            last = key;
        }
        return text.ToString();
    }

    private static byte[] Bytes(JsonElement vector)
    {
        if (vector.GetProperty("hex").GetString() is { } hex) return Convert.FromHexString(hex);
        var then = vector.GetProperty("then");
        return [.. Convert.FromHexString(vector.GetProperty("hexPrefix").GetString()!),
            .. Enumerable.Repeat(Convert.FromHexString(then.GetProperty("byte").GetString()!)[0], then.GetProperty("count").GetInt32())];
    }

    private static IEnumerable<JsonElement> SmuxVectors()
        => JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Mux", "vectors", "smux.json")))
            .RootElement.EnumerateArray().Where(vector => vector.GetProperty("kind").GetString() == "smux");
}
