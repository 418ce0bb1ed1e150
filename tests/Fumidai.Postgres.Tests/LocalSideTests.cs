using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Postgres.Tests;

public sealed class LocalSideTests
{
    private static readonly LocalPassword Password = LocalPassword.Create();
    private readonly FakeTimeProvider _time = new();
    private readonly Pair _pair = new();

    private Task<LocalRequest?> AcceptAsync(LocalSideOptions? options = null, bool isKnown = false) =>
        new LocalSide(options ?? new LocalSideOptions { Password = Password }, _time).AcceptAsync(_pair.Server, isKnown, TestContext.Current.CancellationToken);

    private static StartupMessage Startup => StartupMessage.Of(0x30000, ("user", "app"), ("database", "db"));

    private async Task<string> ErrorAsync()
    {
        var message = await WireMessage.ReadAsync(_pair.Client, 10_000, TestContext.Current.CancellationToken);
        Assert.Equal((byte)'E', message[0]);
        return Encoding.UTF8.GetString(message);
    }

    /// <summary>A client that knows how; true when it was let in.</summary>
    private async Task<bool> SignInAsync(string password, string header = "n,,")
    {
        var stop = TestContext.Current.CancellationToken;
        await _pair.Client.WriteAsync(Startup.ToBytes(), stop);
        var offer = await WireMessage.ReadAsync(_pair.Client, 1000, stop);
        Assert.Equal("SCRAM-SHA-256\0\0", Encoding.ASCII.GetString(offer[9..]));
        var scram = new ScramClient(header == "n,," ? null : [1], serverBinds: false);
        var first = Encoding.ASCII.GetBytes(scram.First);
        await _pair.Client.WriteAsync(WireMessage.Of('p', "SCRAM-SHA-256\0"u8.ToArray(), WireMessage.Int32(first.Length), first), stop);
        var challenge = await WireMessage.ReadAsync(_pair.Client, 1000, stop);
        await _pair.Client.WriteAsync(WireMessage.Of('p', Encoding.ASCII.GetBytes(scram.Answer(challenge.AsSpan(9), Encoding.UTF8.GetBytes(password)))), stop);
        var final = await WireMessage.ReadAsync(_pair.Client, 10_000, stop);
        return final[0] == (byte)'R' && scram.Proves(final.AsSpan(9));
    }

    [Theory]
    [InlineData("n,,")]
    [InlineData("y,,")]
    public async Task Whoever_knows_the_password_is_let_in_with_its_parameters_unchanged(string header)
    {
        var accepted = AcceptAsync();
        Assert.True(await SignInAsync(Password.Reveal(), header));

        var session = Assert.IsType<LocalRequest.Session>(await accepted);
        Assert.Equal(Startup.ToBytes(), session.Startup.ToBytes());
    }

    [Fact]
    public async Task A_wrong_password_is_28P01_and_no_request()
    {
        var accepted = AcceptAsync();

        Assert.False(await SignInAsync("wrong"));

        Assert.Null(await accepted);
    }

    [Fact]
    public async Task Encryption_is_refused_politely_and_the_start_up_goes_on()
    {
        var stop = TestContext.Current.CancellationToken;
        var accepted = AcceptAsync(new LocalSideOptions());
        var answer = new byte[1];

        await _pair.Client.WriteAsync(new byte[] { 0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x30 }, stop);
        await _pair.Client.ReadExactlyAsync(answer, stop);
        Assert.Equal((byte)'N', answer[0]);
        await _pair.Client.WriteAsync(SslRequest.Bytes.ToArray(), stop);
        await _pair.Client.ReadExactlyAsync(answer, stop);
        Assert.Equal((byte)'N', answer[0]);
        await _pair.Client.WriteAsync(Startup.ToBytes(), stop);

        Assert.Equal("app", Assert.IsType<LocalRequest.Session>(await accepted).Startup["user"]);
    }

    [Fact]
    public async Task Endless_questions_about_encryption_are_an_error()
    {
        var accepted = AcceptAsync(new LocalSideOptions());
        for (var i = 0; i < 4; i++)
            await _pair.Client.WriteAsync(SslRequest.Bytes.ToArray(), TestContext.Current.CancellationToken);

        Assert.Null(await accepted);
    }

    [Fact]
    public async Task A_cancel_request_needs_no_password()
    {
        var key = new CancelKey(42, [1, 2, 3, 4]);
        var accepted = AcceptAsync();
        await _pair.Client.WriteAsync(key.ToRequest(), TestContext.Current.CancellationToken);

        Assert.Equal(key, Assert.IsType<LocalRequest.Cancel>(await accepted).Key);
    }

    [Fact]
    public async Task Nothing_behind_the_start_up_is_read()
    {
        var stop = TestContext.Current.CancellationToken;
        var accepted = AcceptAsync(new LocalSideOptions());
        await _pair.Client.WriteAsync((byte[])[.. Startup.ToBytes(), .. "Qrest"u8], stop);

        Assert.IsType<LocalRequest.Session>(await accepted);
        var rest = new byte[5];
        await _pair.Server.ReadExactlyAsync(rest, stop);
        Assert.Equal("Qrest", Encoding.ASCII.GetString(rest));
    }

    [Theory]
    [InlineData(0x7FFFFFFF)] // 2 GB
    [InlineData(10_001)]
    [InlineData(7)]
    [InlineData(-1)]
    [InlineData(0x16030100)] // a TLS ClientHello
    public async Task A_length_out_of_bounds_is_refused_at_its_fourth_byte(int length)
    {
        var accepted = AcceptAsync();
        var head = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(head, length);
        await _pair.Client.WriteAsync(head, TestContext.Current.CancellationToken);

        Assert.Contains("invalid length of startup packet", await ErrorAsync(), StringComparison.Ordinal);
        Assert.Null(await accepted);
    }

    [Fact]
    public async Task Another_major_version_is_0A000()
    {
        var accepted = AcceptAsync();
        await _pair.Client.WriteAsync(StartupMessage.Of(0x20000, ("user", "app")).ToBytes(), TestContext.Current.CancellationToken);

        Assert.Contains("unsupported frontend protocol 2.0", await ErrorAsync(), StringComparison.Ordinal);
        Assert.Null(await accepted);
    }

    [Fact]
    public async Task One_byte_a_minute_is_cut_off_after_the_limit_not_after_the_last_byte()
    {
        var accepted = AcceptAsync();
        foreach (var b in Startup.ToBytes().Take(3))
        {
            await _pair.Client.WriteAsync(new[] { b }, TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(7));
        }

        Assert.Null(await accepted);
    }

    [Fact]
    public async Task Random_bytes_never_get_in_and_never_break_it()
    {
        await Gen.Byte.Array[0, 300].SampleAsync(async bytes =>
        {
            var pair = new Pair();
            var side = new LocalSide(new LocalSideOptions { Password = Password }, new FakeTimeProvider());
            await pair.Client.WriteAsync(bytes);
            await pair.Client.DisposeAsync();
            Assert.IsNotType<LocalRequest.Session>(await side.AcceptAsync(pair.Server, isKnown: false, CancellationToken.None));
        }, iter: 2000);
    }

    [Fact]
    public async Task Parameters_survive_whatever_bytes_they_hold()
    {
        await Gen.Byte[1, 255].Array[1, 200].SampleAsync(async value =>
        {
            var head = "user\0app\0x\0"u8.ToArray();
            byte[] packet = [.. WireMessage.Int32(8 + head.Length + value.Length + 2), 0, 3, 0, 0, .. head, .. value, 0, 0];
            var pair = new Pair();
            await pair.Client.WriteAsync(packet);
            var session = await new LocalSide(new LocalSideOptions(), new FakeTimeProvider()).AcceptAsync(pair.Server, isKnown: false, CancellationToken.None);
            Assert.Equal(packet, Assert.IsType<LocalRequest.Session>(session).Startup.ToBytes());
        }, iter: 300);
    }

    [Fact]
    public async Task Ten_thousand_half_open_connections_do_not_keep_an_honest_client_out()
    {
        var side = new LocalSide(new LocalSideOptions { Password = Password }, _time);
        var strangers = new List<(Pair Pair, Task<LocalRequest?> Accepted)>();
        for (var i = 0; i < 10_000; i++)
        {
            var pair = new Pair();
            strangers.Add((pair, side.AcceptAsync(pair.Server, isKnown: false, TestContext.Current.CancellationToken)));
        }
        Assert.Equal(1000, side.HalfOpenCount);
        Assert.All(await Task.WhenAll(strangers.Take(9000).Select(s => s.Accepted)), Assert.Null);

        var accepted = side.AcceptAsync(_pair.Server, isKnown: false, TestContext.Current.CancellationToken);
        Assert.True(await SignInAsync(Password.Reveal()));
        Assert.IsType<LocalRequest.Session>(await accepted);

        _time.Advance(TimeSpan.FromMinutes(1));
        await Task.WhenAll(strangers.Select(s => s.Accepted));
        Assert.Equal(0, side.HalfOpenCount);
    }

    [Fact]
    public async Task A_proof_for_another_exchange_is_not_taken()
    {
        var stop = TestContext.Current.CancellationToken;
        var accepted = AcceptAsync();
        await _pair.Client.WriteAsync(Startup.ToBytes(), stop);
        await WireMessage.ReadAsync(_pair.Client, 1000, stop);
        var first = "n,,n=,r=abc"u8.ToArray();
        await _pair.Client.WriteAsync(WireMessage.Of('p', "SCRAM-SHA-256\0"u8.ToArray(), WireMessage.Int32(first.Length), first), stop);
        await WireMessage.ReadAsync(_pair.Client, 1000, stop);
        await _pair.Client.WriteAsync(WireMessage.Of('p', Encoding.ASCII.GetBytes($"c=biws,r=abc,p={Convert.ToBase64String(new byte[32])}")), stop);

        Assert.Contains("another exchange", await ErrorAsync(), StringComparison.Ordinal);
        Assert.Null(await accepted);
    }
}
