using System.Text;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

public sealed class ReadinessTests
{
    private static readonly HostPort Address = new("db.internal", 5432);

    private static Target Target(double? minCapacity = 0.5) => new() { Name = "cluster/app", Address = Address, Database = Requests.Cluster(minCapacity: minCapacity) };

    private static Task ProveAsync(IRoute route, Target? target = null, TimeProvider? time = null, CancellationToken stop = default) =>
        new Readiness(route, target ?? Target(), time ?? TimeProvider.System).ProveAsync(stop);

    private static Func<MemoryChannel, Task> Answer(byte[] answer, List<byte[]>? questions = null) => async channel =>
    {
        var read = await channel.Far.Input.ReadAtLeastAsync(8);
        questions?.Add(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
        await channel.Far.Output.WriteAsync(answer);
    };

    [Theory]
    [InlineData("S")]
    [InlineData("N")]
    public async Task An_answered_SSLRequest_is_ready_and_the_probe_ends_its_channel(string answer)
    {
        var questions = new List<byte[]>();
        var route = new MemoryRoute(Answer(Encoding.ASCII.GetBytes(answer), questions));
        await ProveAsync(route).WaitAsync(Requests.Guard);
        Assert.Equal([0, 0, 0, 8, 4, 210, 22, 47], Assert.Single(questions));
        Assert.True((await Assert.Single(route.Opened).Ended.WaitAsync(Requests.Guard)) is not null);
    }

    [Fact]
    public async Task Something_else_than_PostgreSQL_is_said_to_be_so()
    {
        var e = await Assert.ThrowsAsync<FumidaiException>(() => ProveAsync(new MemoryRoute(Answer("HTTP/1.1 400"u8.ToArray()))));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains("does not speak the PostgreSQL protocol", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_of_the_server_is_told_in_its_words()
    {
        byte[] fields = [.. "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"u8];
        var e = await Assert.ThrowsAsync<FumidaiException>(() => ProveAsync(new MemoryRoute(Answer([(byte)'E', 0, 0, 0, (byte)(fields.Length + 4), .. fields]))));
        Assert.Contains("FATAL 57P03: the database system is starting up", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_ends_after_15_seconds_and_names_the_security_groups()
    {
        var time = new FakeTimeProvider();
        var proving = ProveAsync(new MemoryRoute(_ => Task.CompletedTask), time: time);
        time.Advance(Readiness.Limit - TimeSpan.FromSeconds(1));
        Assert.False(proving.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        var e = await Assert.ThrowsAsync<FumidaiException>(() => proving.WaitAsync(Requests.Guard));
        Assert.Contains("no answer within 15 s", e.Message, StringComparison.Ordinal);
        Assert.Contains("sg-db", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_that_may_be_paused_gets_a_minute_and_further_tries()
    {
        var time = new PassingPauses();
        var tries = 0;
        var route = new MemoryRoute(channel =>
        {
            if (Interlocked.Increment(ref tries) < 3)
                channel.Far.Fail(new IOException("reset"));
            return tries < 3 ? Task.CompletedTask : Answer("S"u8.ToArray())(channel);
        });
        await ProveAsync(route, Target(minCapacity: 0), time).WaitAsync(Requests.Guard);
        Assert.Equal(3, tries);

        await Assert.ThrowsAsync<FumidaiException>(() => ProveAsync(new MemoryRoute(c =>
        {
            c.Far.Fail(new IOException("reset"));
            return Task.CompletedTask;
        })));
    }

    [Fact]
    public async Task A_refusal_that_the_channel_reports_is_passed_on()
    {
        var refused = new FumidaiException(Reason.NoRoute, "i-0 could not connect", "refused");
        Assert.Same(refused, await Assert.ThrowsAsync<FumidaiException>(() => ProveAsync(new MemoryRoute(c =>
        {
            c.Far.Fail(refused);
            return Task.CompletedTask;
        }))));
    }

    [Fact]
    public async Task A_user_who_stops_stops_it()
    {
        using var stop = new CancellationTokenSource();
        var proving = ProveAsync(new MemoryRoute(_ => Task.CompletedTask), stop: stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => proving.WaitAsync(Requests.Guard));
    }

    [Fact]
    public async Task Auto_takes_the_next_route_and_says_so_and_tells_both_reasons_when_none_opens()
    {
        var heard = new Requests.Heard();
        var request = Requests.To(Address, heard);
        var ssh = new MemoryRoute(Answer("S"u8.ToArray()));
        var noSsm = new RouteChoice.Candidate("ssm", _ => throw new FumidaiException(Reason.NoRoute, "no bastion for ssm in vpc-1", "there is no instance"));
        var yes = new RouteChoice.Candidate("ssh", _ => Task.FromResult<IRoute>(ssh));
        Assert.Same(ssh, await RouteChoice.OpenFirstAsync(request, [noSsm, yes], CancellationToken.None));
        Assert.Contains("no bastion for ssm in vpc-1", (await heard.FirstAsync("switched")).Text, StringComparison.Ordinal);

        var mute = new MemoryRoute(c =>
        {
            c.Far.Fail(new IOException("reset"));
            return Task.CompletedTask;
        });
        var e = await Assert.ThrowsAsync<FumidaiException>(() => RouteChoice.OpenFirstAsync(
            request, [noSsm, new("ssh", _ => Task.FromResult<IRoute>(mute))], CancellationToken.None));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains("ssm: no bastion", e.Message, StringComparison.Ordinal);
        Assert.Contains("ssh: ", e.Message, StringComparison.Ordinal);
        Assert.True(mute.IsDisposed);
    }

    [Theory]
    [InlineData("stopped", "aws rds start-db-cluster --db-cluster-identifier app")]
    [InlineData("starting", "Wait until it is available")]
    [InlineData("inaccessible-encryption-credentials-recoverable", "KMS key")]
    public void A_database_that_is_shut_by_its_status_is_told_without_a_session(string status, string next)
    {
        var e = Assert.Throws<FumidaiException>(() => RouteChoice.RefuseShut("cluster/app", Requests.Cluster() with { Status = status }));
        Assert.Equal(Reason.NoRoute, e.Reason);
        Assert.Contains($"its status is {status}. ", e.Message, StringComparison.Ordinal);
        Assert.Contains(next, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("available")]
    [InlineData("backing-up")]
    [InlineData("modifying")]
    public void A_database_that_may_answer_is_tried(string status) => RouteChoice.RefuseShut("cluster/app", Requests.Cluster() with { Status = status });

    [Fact]
    public async Task Wrong_credentials_are_not_tried_on_another_route()
    {
        var denied = new Aws.AwsFailure(Aws.AwsFailureKind.Credentials, "ssm:StartSession", "ExpiredToken", "expired").ToFumidai("cannot start a session");
        var e = await Assert.ThrowsAsync<FumidaiException>(() => RouteChoice.OpenFirstAsync(
            Requests.To(Address), [new("ssm", _ => throw denied), new("ssh", _ => throw new InvalidOperationException("not to be tried"))], CancellationToken.None));
        Assert.Same(denied, e);
    }

    [Fact]
    public async Task A_host_key_that_changed_is_the_last_word_and_no_other_bastion_is_tried()
    {
        var changed = new FumidaiException(Reason.NoRoute, "THE HOST KEY OF i-1 HAS CHANGED") { IsAlarm = true };
        var e = await Assert.ThrowsAsync<FumidaiException>(() => RouteChoice.OpenFirstAsync(
            Requests.To(Address), [new("ssh", _ => throw changed), new("ssh", _ => throw new InvalidOperationException("not to be tried"))], CancellationToken.None));
        Assert.Same(changed, e);
    }

    /// <summary>A clock on which a pause between two tries, once begun, is over; limits of a minute stay where they are.</summary>
    private sealed class PassingPauses : FakeTimeProvider
    {
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (dueTime == Pause)
                ThreadPool.QueueUserWorkItem(_ => Advance(Pause));
            return timer;
        }
    }
}
