using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using Fumidai.Aws;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

/// <summary>The ssh route against a real sshd.</summary>
public sealed class SshRouteTests(Sshd sshd) : IClassFixture<Sshd>, IDisposable
{
    private const string InstanceId = "i-0123456789abcdef0";

    private readonly Requests.Folder _folder = new();
    private readonly Requests.Heard _heard = new();
    private readonly List<string> _learned = [];
    private readonly List<string> _pushed = [];

    public void Dispose() => _folder.Dispose();

    private string UserFile => _folder.File("known_hosts");

    private string OwnFile => _folder.File("own/known_hosts");

    private SshLogin Login(
        string? identity = null, Func<string, CancellationToken, ValueTask<Secret?>>? ask = null, bool mayPush = true, TimeProvider? time = null, params (string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(v => v.Name, v => v.Value);
        return new SshLogin(
            InstanceId, sshd.Address, Sshd.User,
            new SshIdentity(identity, variables.GetValueOrDefault, PushAsync, ask),
            new KnownHosts(UserFile, OwnFile), (key, _) => _learned.Add(key), time ?? TimeProvider.System);

        Task PushAsync(string line, CancellationToken cancellationToken)
        {
            if (!mayPush)
                throw new AwsFailure(AwsFailureKind.Permission, "ec2-instance-connect:SendSSHPublicKey", "AccessDeniedException", "no");
            _pushed.Add(line);
            sshd.Allow(line);
            return Task.CompletedTask;
        }
    }

    private SshRoute Route(SshLogin login) => new(Requests.To(new("x", 1), _heard), new SshPlace("ssh", InstanceId, "ec2-user", new(System.Net.IPAddress.Loopback, 22)), login.ConnectAsync);

    private static async Task<byte[]> ExchangeAsync(IRoute route, HostPort destination, byte[] said)
    {
        using var pair = await TcpPair.OpenAsync();
        var channel = await route.OpenAsync(destination, CancellationToken.None);
        var copying = CopyLoop.RunAsync(pair.Near, channel, CancellationToken.None);
        var heard = pair.Far.ReadToEndAsync();
        await pair.Far.SendAllAsync(said);
        pair.Far.Shutdown(SocketShutdown.Send);
        var answer = await heard.WaitAsync(TimeSpan.FromSeconds(60));
        var result = await copying.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(CopySide.None, result.Blame);
        return answer;
    }

    private async Task LogsInAsync(SshLogin login)
    {
        using var far = new FarServer(FarServer.EchoAsync);
        await using var route = Route(login);
        Assert.Equal("hello"u8.ToArray(), await ExchangeAsync(route, far.Address, "hello"u8.ToArray()));
    }

    [Theory]
    [InlineData("id_ed25519", "ed25519", null, false)]
    [InlineData("id_ecdsa", "ecdsa", null, false)]
    [InlineData("id_rsa", "rsa", null, false)]
    [InlineData("id_rsa_pem", "rsa", null, true)]
    [InlineData("id_ed25519_enc", "ed25519", "open sesame", false)]
    [InlineData("id_ecdsa_enc", "ecdsa", "open sesame", false)]
    [InlineData("id_rsa_enc", "rsa", "open sesame", false)]
    [InlineData("id_rsa_pem_enc", "rsa", "open sesame", true)]
    public async Task A_key_file_of_each_kind_logs_in(string name, string type, string? passphrase, bool pem)
    {
        Sshd.Need();
        var file = sshd.Keygen(name, type, passphrase, pem, allow: true);
        await LogsInAsync(Login(file, environment: ("FUMIDAI_IDENTITY_PASSPHRASE", passphrase ?? "")));
        Assert.Empty(_pushed);
    }

    [Fact]
    public async Task A_passphrase_is_asked_for_again_after_a_wrong_one()
    {
        Sshd.Need();
        var file = sshd.Keygen("id_ed25519_enc", "ed25519", "open sesame", allow: true);
        var answers = new Queue<string>(["wrong", "open sesame"]);
        await LogsInAsync(Login(file, (_, _) => new(new Secret(answers.Dequeue()))));
        Assert.Empty(answers);
    }

    [Fact]
    public async Task An_encrypted_file_that_nobody_opens_is_an_error_without_the_passphrase()
    {
        Sshd.Need();
        var file = sshd.Keygen("id_ed25519_enc", "ed25519", "open sesame");
        foreach (var login in new[] { Login(file), Login(file, environment: ("FUMIDAI_IDENTITY_PASSPHRASE", "sw0rdfish")), Login(file, (_, _) => new((Secret?)null)) })
        {
            var e = await Assert.ThrowsAsync<FumidaiException>(() => login.ConnectAsync(CancellationToken.None));
            Assert.Equal(Reason.Configuration, e.Reason);
            Assert.Contains("FUMIDAI_IDENTITY_PASSPHRASE", e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("sw0rdfish", e.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_is_no_private_key_is_an_error_that_says_so()
    {
        Sshd.Need();
        var file = sshd.Keygen("id_ed25519", "ed25519", null);
        Assert.Contains("public key", (await Assert.ThrowsAsync<FumidaiException>(() => Login(file + ".pub").ConnectAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
        Assert.Contains("nowhere", (await Assert.ThrowsAsync<FumidaiException>(() => Login("/nowhere").ConnectAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task By_default_a_fresh_key_is_pushed_before_each_login_and_touches_no_file()
    {
        Sshd.Need();
        var login = Login();
        await LogsInAsync(login);
        await LogsInAsync(login);
        Assert.Equal(2, _pushed.Distinct().Count());
        Assert.All(_pushed, line => Assert.StartsWith("ssh-ed25519 ", line, StringComparison.Ordinal));
        Assert.Equal(["own/known_hosts"], Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_folder.Path, f)));
    }

    [Fact]
    public async Task Keys_of_a_running_agent_are_used_where_no_key_can_be_pushed()
    {
        Sshd.Need();
        using var agent = new Agent(_folder.File("agent.sock"));
        foreach (var (name, type) in new[] { ("id_agent_rsa", "rsa"), ("id_agent_ed25519", "ed25519"), ("id_agent_ecdsa", "ecdsa") })
        {
            agent.Clear();
            agent.Add(sshd.Keygen(name, type, null, allow: true));
            await LogsInAsync(Login(mayPush: false, environment: ("SSH_AUTH_SOCK", agent.Socket)));
        }
    }

    [Fact]
    public async Task Without_any_key_the_failure_says_which_permission_and_what_else_there_is()
    {
        Sshd.Need();
        var e = await Assert.ThrowsAsync<FumidaiException>(() => Login(mayPush: false).ConnectAsync(CancellationToken.None));
        Assert.Equal(Reason.AwsAccess, e.Reason);
        Assert.Contains("SendSSHPublicKey", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_is_refused_says_as_whom_and_what_to_check()
    {
        Sshd.Need();
        var e = await Assert.ThrowsAsync<FumidaiException>(() => Login(sshd.Keygen("id_stranger", "ed25519", null)).ConnectAsync(CancellationToken.None));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains($"as {Sshd.User}", e.Message, StringComparison.Ordinal);
        Assert.Contains("authorized_keys", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_key_is_learned_once_with_its_fingerprint_and_known_afterwards()
    {
        Sshd.Need();
        await (await Login().ConnectAsync(CancellationToken.None)).DisposeAsync();
        await (await Login().ConnectAsync(CancellationToken.None)).DisposeAsync();
        var learned = Assert.Single(_learned);
        Assert.Matches("^ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}$|^ecdsa-sha2-nistp256 SHA256:[A-Za-z0-9+/]{43}$", learned);
        Assert.StartsWith($"{InstanceId} {learned.Split(' ')[0]} AAAA", File.ReadAllText(OwnFile), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(OwnFile));
    }

    [Fact]
    public async Task A_changed_host_key_is_refused_loudly_with_file_and_line()
    {
        Sshd.Need();
        var stranger = File.ReadAllText(sshd.Keygen("host_other", "ed25519", null) + ".pub").Split(' ');
        _folder.Write("own/known_hosts", $"i-0other ssh-ed25519 {stranger[1]}\n{InstanceId} ssh-ed25519 {stranger[1]}\n");
        var e = await Assert.ThrowsAsync<FumidaiException>(() => Login().ConnectAsync(CancellationToken.None));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.True(e.IsAlarm);
        Assert.Contains("HAS CHANGED", e.Message, StringComparison.Ordinal);
        Assert.Contains($"{OwnFile}:2", e.Message, StringComparison.Ordinal);
        Assert.Contains(KnownHosts.Fingerprint(Convert.FromBase64String(stranger[1])), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_user_s_known_hosts_are_obeyed_by_address_hashed_or_not()
    {
        Sshd.Need();
        var right = File.ReadAllText(Path.Combine(sshd.Folder, "host_ecdsa.pub")).Split(' ');
        var wrong = File.ReadAllText(sshd.Keygen("host_other", "ed25519", null) + ".pub").Split(' ');
        var address = $"[127.0.0.1]:{sshd.Address.Port}";

        // It knows only the ecdsa key: that one is asked for, though the server would show another first.
        File.WriteAllText(UserFile, $"# mine\n{address} {right[0]} {right[1]} comment\n");
        await LogsInAsync(Login());
        Assert.Empty(_learned);
        File.Delete(OwnFile);

        File.WriteAllText(UserFile, $"{address} {wrong[0]} {wrong[1]}\n");
        Run("ssh-keygen", "-q", "-H", "-f", UserFile);
        Assert.StartsWith("|1|", File.ReadAllText(UserFile), StringComparison.Ordinal);
        Assert.Contains($"{UserFile}:1", (await Assert.ThrowsAsync<FumidaiException>(() => Login().ConnectAsync(CancellationToken.None))).Message, StringComparison.Ordinal);

        File.WriteAllText(UserFile, $"@revoked * {right[0]} {right[1]}\n{address} {right[0]} {right[1]}\n");
        Assert.Contains("revoked", (await Assert.ThrowsAsync<FumidaiException>(() => Login().ConnectAsync(CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_far_end_that_refuses_is_told_and_the_connection_lives_on()
    {
        Sshd.Need();
        using var far = new FarServer(FarServer.EchoAsync);
        HostPort gone;
        using (var closed = new FarServer(FarServer.EchoAsync))
            gone = closed.Address;
        await using var route = Route(Login());
        var e = await Assert.ThrowsAsync<FumidaiException>(async () => await route.OpenAsync(gone, CancellationToken.None));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains("refused", e.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(new byte[] { 7 }, await ExchangeAsync(route, far.Address, [7]));
        Assert.Single(_pushed);
    }

    [Fact]
    public async Task Half_close_passes_both_ways()
    {
        Sshd.Need();
        using var replies = new FarServer(async socket =>
        {
            var question = await socket.ReadToEndAsync(); // ends only with the client's half-close
            await socket.SendAllAsync(SHA256.HashData(question));
        });
        await using var route = Route(Login());
        var said = RandomNumberGenerator.GetBytes(300_000);
        Assert.Equal(SHA256.HashData(said), await ExchangeAsync(route, replies.Address, said));
    }

    [Fact]
    public async Task What_the_client_says_last_arrives_though_the_far_end_ended_first()
    {
        Sshd.Need();
        var all = new TaskCompletionSource<byte[]>();
        using var far = new FarServer(async socket =>
        {
            socket.Shutdown(SocketShutdown.Send);
            all.TrySetResult(await socket.ReadToEndAsync());
        });
        await using var route = Route(Login());
        var said = RandomNumberGenerator.GetBytes(3_000_000);
        Assert.Empty(await ExchangeAsync(route, far.Address, said));
        Assert.Equal(SHA256.HashData(said), SHA256.HashData(await all.Task.WaitAsync(Requests.Guard)));
    }

    [Fact]
    public async Task A_reset_of_the_far_end_reaches_the_client()
    {
        Sshd.Need();
        using var far = new FarServer(async socket =>
        {
            await socket.ReceiveAsync(new byte[1]);
            CopyLoop.Reset(socket);
        });
        await using var route = Route(Login());
        using var pair = await TcpPair.OpenAsync();
        var copying = CopyLoop.RunAsync(pair.Near, await route.OpenAsync(far.Address, CancellationToken.None), CancellationToken.None);
        await pair.Far.SendAllAsync(new byte[1]);
        // sshd turns a reset into an end of file at first; what is written then shows that nobody is there.
        Assert.Empty(await pair.Far.ReadToEndAsync().WaitAsync(Requests.Guard));
        await pair.Far.SendAllAsync(new byte[1]);
        Assert.Equal(CopySide.Channel, (await copying.WaitAsync(Requests.Guard)).Blame);
    }

    [Fact]
    public async Task Fifty_channels_share_one_connection()
    {
        Sshd.Need();
        using var far = new FarServer(FarServer.EchoAsync);
        await using var route = Route(Login());
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var said = RandomNumberGenerator.GetBytes(200_000 + i);
            Assert.Equal(SHA256.HashData(said), SHA256.HashData(await ExchangeAsync(route, far.Address, said)));
        }));
        Assert.Single(_pushed);
    }

    [Fact]
    public async Task SixtyFour_MiB_each_way_arrive_unchanged()
    {
        Sshd.Need();
        using var far = new FarServer(FarServer.EchoAsync);
        await using var route = Route(Login());
        var said = RandomNumberGenerator.GetBytes(64 * 1024 * 1024);
        Assert.Equal(SHA256.HashData(said), SHA256.HashData(await ExchangeAsync(route, far.Address, said)));
    }

    [Fact]
    public async Task A_stalled_reader_holds_a_bounded_amount_and_stalls_nobody_else()
    {
        Sshd.Need();
        long sent = 0;
        using var flood = new FarServer(async socket =>
        {
            var block = new byte[64 * 1024];
            while (true)
                Interlocked.Add(ref sent, await socket.SendAsync(block));
        });
        using var echo = new FarServer(FarServer.EchoAsync);
        await using var route = Route(Login());
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await using var stalled = await route.OpenAsync(flood.Address, CancellationToken.None);
        // Other channels work on while the window of the stalled one fills; then it is full, and stays so.
        long was;
        do
        {
            was = Interlocked.Read(ref sent);
            for (var i = 0; i < 5; i++)
                Assert.Equal(new byte[] { 1, 2 }, await ExchangeAsync(route, echo.Address, [1, 2]));
        }
        while (Interlocked.Read(ref sent) != was);
        var cost = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(cost < 3 * SshChannel.Window, $"{cost} bytes are held");
    }

    [Fact]
    public async Task A_lost_connection_ends_its_channels_and_is_replaced_for_new_ones()
    {
        Sshd.Need();
        using var far = new FarServer(FarServer.EchoAsync);
        await using var route = Route(Login());
        var channel = await route.OpenAsync(far.Address, CancellationToken.None);
        sshd.Stop();
        var reason = Assert.IsType<FumidaiException>(await channel.Ended.WaitAsync(Requests.Guard));
        Assert.Equal(Reason.RouteLost, reason.Reason);
        await _heard.FirstAsync("degraded");
        sshd.Start();
        Assert.Equal(new byte[] { 9 }, await ExchangeAsync(route, far.Address, [9]));
        await _heard.FirstAsync("reconnected");
        Assert.False(route.Ended.IsCompleted);
    }

    [Fact]
    public async Task Before_the_carrier_s_hour_ends_a_fresh_connection_serves_new_channels_and_those_on_the_old_one_are_warned()
    {
        Sshd.Need();
        using var far = new FarServer(FarServer.EchoAsync);
        var time = new FakeTimeProvider();
        var place = new SshPlace("eice", InstanceId, "ec2-user", new(System.Net.IPAddress.Loopback, 22)) { Life = TimeSpan.FromHours(1), Carrier = "eice-1" };
        await using var route = new SshRoute(Requests.To(new("x", 1), _heard, time: time), place, Login().ConnectAsync);
        await using var old = await route.OpenAsync(far.Address, CancellationToken.None);
        time.Advance(TimeSpan.FromMinutes(54.9));
        Assert.Single(_pushed);

        time.Advance(TimeSpan.FromMinutes(0.1));

        var warned = await _heard.FirstAsync("limit_near");
        Assert.Contains("1 connection through eice-1 will be cut in 5 minutes", warned.Text, StringComparison.Ordinal);
        Assert.Equal(2, _pushed.Count);
        Assert.Equal(new byte[] { 9 }, await ExchangeAsync(route, far.Address, [9]));
        await old.Output.WriteAsync(new byte[] { 7 });
        Assert.Equal(7, (await old.Input.ReadAsync().AsTask().WaitAsync(Requests.Guard)).Buffer.FirstSpan[0]);
        Assert.Equal(2, _pushed.Count);

        // The fresh one's time is over in its turn; nobody uses it now.
        time.Advance(TimeSpan.FromMinutes(55));
        await _heard.FirstAsync("renewed");
        Assert.Equal(3, _pushed.Count);
    }

    [Fact]
    public async Task A_server_that_answers_no_keepalive_counts_as_lost()
    {
        Sshd.Need();
        var time = new FakeTimeProvider();
        await using var connection = await Login(time: time).ConnectAsync(CancellationToken.None);
        sshd.Freeze(true);
        try
        {
            for (var i = 0; i <= SshConnection.KeepAliveMisses; i++)
            {
                Assert.False(connection.Ended.IsCompleted);
                time.Advance(SshConnection.KeepAliveInterval);
            }
            Assert.IsType<FumidaiException>(await connection.Ended.WaitAsync(Requests.Guard));
        }
        finally
        {
            sshd.Freeze(false);
        }
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_no_route()
    {
        Sshd.Need();
        System.Net.IPEndPoint closed;
        using (var far = new FarServer(FarServer.EchoAsync))
            closed = new(System.Net.IPAddress.Loopback, far.Address.Port);
        var login = new SshLogin(InstanceId, closed, "me", new SshIdentity(null, _ => null, (_, _) => Task.CompletedTask, null), new KnownHosts(null, null), (_, _) => { }, TimeProvider.System);
        var e = await Assert.ThrowsAsync<FumidaiException>(() => login.ConnectAsync(CancellationToken.None));
        Assert.Equal((Reason.NoRoute, true), (e.Reason, e.IsTransient));
        Assert.Contains("refused", e.Message, StringComparison.Ordinal);
    }

    private static void Run(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>A real ssh-agent.</summary>
    private sealed class Agent : IDisposable
    {
        private readonly Process _process;

        public Agent(string socket)
        {
            Socket = socket;
            _process = Process.Start(new ProcessStartInfo("ssh-agent", ["-D", "-a", socket]) { RedirectStandardOutput = true })!;
            _process.StandardOutput.ReadLine(); // printed once it listens
        }

        public string Socket { get; }

        public void Add(string file) => Call(file);

        public void Clear() => Call("-D");

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        private void Call(string argument)
        {
            var start = new ProcessStartInfo("ssh-add", ["-q", argument]) { RedirectStandardError = true };
            start.Environment["SSH_AUTH_SOCK"] = Socket;
            using var process = Process.Start(start)!;
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
    }
}
