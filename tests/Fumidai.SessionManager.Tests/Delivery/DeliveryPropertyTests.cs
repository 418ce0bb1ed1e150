using CsCheck;
using Fumidai.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>Whatever happens to messages, every byte is delivered once and in order. CsCheck prints the seed of a failing case.</summary>
public sealed class DeliveryPropertyTests
{
    [Fact]
    public void The_receive_window_delivers_each_message_once_and_in_order_whatever_comes_when()
    {
        // A sender that repeats until acknowledged; arrivals in any order, any number of times.
        Gen.Select(Gen.Int[1, 60], Gen.Int[0, 59].Array[0, 400]).Sample((count, arrivals) =>
        {
            var window = new ReceiveWindow();
            var read = new List<long>();
            var acknowledged = new HashSet<long>();
            foreach (var sequence in arrivals.Where(a => a < count).Concat(Enumerable.Range(0, count).Reverse()).Concat(Enumerable.Range(0, count)))
            {
                var arrival = window.Look(sequence);
                if (arrival == Arrival.Welcome)
                {
                    if (window.Accept(new(sequence, Guid.Empty, PayloadType.Output, new byte[16], 0, 16))) acknowledged.Add(sequence);
                }
                else
                {
                    Assert.Equal(Arrival.Duplicate, arrival);
                    Assert.Contains(sequence, acknowledged);
                }
                if (sequence % 3 == 0)
                    while (window.TryTake(out var message)) read.Add(message.Sequence);
            }
            while (window.TryTake(out var message)) read.Add(message.Sequence);
            Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), read);
            Assert.Equal(count, acknowledged.Count);
        }, iter: 500);
    }

    [Fact]
    public async Task Any_split_order_duplication_and_loss_delivers_every_byte_once_and_in_order()
    {
        var scripts =
            from seed in Gen.Int
            from drop in Gen.Int[0, 20]
            from duplicate in Gen.Int[0, 20]
            from swap in Gen.Int[0, 20]
            from cut in Gen.Int[0, 20]
            from window in Gen.Int[1, 60]
            from up in Gen.Int[1, 1024].Array[1, 5]
            from down in Gen.Int[1, 1024].Array[1, 5]
            select (seed, drop, duplicate, swap, cut, window, up, down);
        await scripts.SampleAsync(async script =>
        {
            using var link = FaultyLink.Random(script.seed, script.drop, script.duplicate, script.swap, script.cut);
            await using var pair = await ChannelPair.OpenAsync(link, new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50)), script.window);
            var up = ChannelPair.Pattern(30 * script.up.Sum(), 1);
            var down = ChannelPair.Pattern(30 * script.down.Sum(), 2);
            var sending = Task.WhenAll(ChannelPair.SendAsync(pair.Client, up, script.up), ChannelPair.SendAsync(pair.Agent, down, script.down));
            var atClient = ChannelPair.ReceiveAsync(pair.Client, down.Length);
            var atAgent = ChannelPair.ReceiveAsync(pair.Agent, up.Length);
            await pair.DriveAsync(Task.WhenAll(sending, atClient, atAgent));
            byte[] gotDown = await atClient, gotUp = await atAgent;
            return down.AsSpan().SequenceEqual(gotDown) && up.AsSpan().SequenceEqual(gotUp);
        }, iter: 40, threads: 1);
    }

    [Fact]
    public void The_receive_window_withholds_acknowledgements_from_a_reader_that_is_behind_and_keeps_no_more_than_its_bound()
    {
        var window = new ReceiveWindow();
        var acknowledged = 0;
        long sequence = 0;
        for (; window.Look(sequence) == Arrival.Welcome; sequence++)
            if (window.Accept(new(sequence, Guid.Empty, PayloadType.Output, new byte[1280], 0, 1280))) acknowledged++;
        Assert.Equal(ReceiveWindow.AcknowledgedMessages, acknowledged);
        Assert.Equal(Arrival.Full, window.Look(sequence));
        Assert.Equal(ReceiveWindow.KeptMessages, sequence);
        Assert.Equal(Arrival.Duplicate, window.Look(0));
        Assert.Equal(Arrival.Ignore, window.Look(acknowledged));            // withheld: repeats stay unanswered
        while (window.TryTake(out _))
            while (window.TryReleaseAcknowledgement(out _)) acknowledged++;
        Assert.Equal(sequence, acknowledged);
        Assert.Equal(Arrival.Welcome, window.Look(sequence));
    }

    [Fact]
    public void The_head_is_repeated_when_its_time_has_come_and_never_when_it_is_acknowledged()
    {
        var clock = new FakeTimeProvider();
        var window = Window(clock, 3, out var frames);
        Assert.Equal(3, frames);
        clock.Advance(TimeSpan.FromMilliseconds(199));
        window.ResendIfDue(out var queued);
        Assert.False(queued);
        clock.Advance(TimeSpan.FromMilliseconds(2));
        window.ResendIfDue(out queued);
        Assert.True(queued);
        Assert.True(window.TryTakeNext(out var sequence, out _));
        Assert.Equal(0, sequence);
        window.Written(0);
        Assert.True(window.Acknowledge(0));
        Assert.False(window.Acknowledge(0));
        Assert.True(window.Acknowledge(2));
        Assert.True(window.Acknowledge(1));
        Assert.True(window.IsEmpty);
        Assert.Null(window.ResendIfDue(out queued));
        Assert.False(queued);
        Assert.False(window.Acknowledge(3));
        Assert.False(window.Acknowledge(-1));
    }

    [Fact]
    public void A_gap_below_three_later_acknowledgements_is_repeated_at_once()
    {
        var window = Window(new FakeTimeProvider(), 6, out _);
        window.Acknowledge(1);
        window.Acknowledge(2);
        Assert.False(window.HasResends);
        window.Acknowledge(3);
        Assert.True(window.TryTakeNext(out var sequence, out _));
        Assert.Equal(0, sequence);
    }

    [Fact]
    public void A_whole_window_that_a_relay_threw_away_is_recovered_in_doubling_rounds()
    {
        // The peer's own connection was cut; one copy per timeout would take 900 times 0.2 s.
        var clock = new FakeTimeProvider();
        var window = Window(clock, 900, out _);
        var wait = TimeSpan.FromMilliseconds(200);
        var began = clock.GetUtcNow();
        while (!window.IsEmpty)
        {
            clock.Advance(wait);
            wait = window.ResendIfDue(out _) ?? TimeSpan.Zero;
            var copies = Take(window);
            clock.Advance(TimeSpan.FromMilliseconds(20));
            foreach (var sequence in copies) window.Acknowledge(sequence);
            if (window.LooksLost) wait = window.Grace;
        }
        Assert.True(clock.GetUtcNow() - began < TimeSpan.FromSeconds(5), $"{clock.GetUtcNow() - began}");
    }

    [Fact]
    public void On_a_path_slower_than_the_longest_timeout_hardly_anything_is_sent_twice()
    {
        // Each message is answered after 1.5 s; originals keep being answered, so nothing looks lost.
        var clock = new FakeTimeProvider();
        var window = Window(clock, 100, out _);
        var copies = 0;
        var wait = TimeSpan.FromMilliseconds(200);
        for (long acknowledged = 0, elapsed = 0; acknowledged < 100; elapsed += 10)
        {
            clock.Advance(TimeSpan.FromMilliseconds(10));
            wait -= TimeSpan.FromMilliseconds(10);
            if (wait <= TimeSpan.Zero)
            {
                wait = window.ResendIfDue(out _) ?? TimeSpan.FromSeconds(1);
                copies += Take(window).Count;
            }
            if (elapsed < 1500) continue;
            window.Acknowledge(acknowledged++);
            if (window.LooksLost) wait = window.Grace;
        }
        Assert.InRange(copies, 1, 30);
    }

    private static List<long> Take(SendWindow window)
    {
        var taken = new List<long>();
        while (window.TryTakeNext(out var sequence, out _))
        {
            window.Written(sequence);
            taken.Add(sequence);
        }
        return taken;
    }

    [Fact]
    public void After_a_restart_everything_unacknowledged_is_written_again_in_order()
    {
        var window = Window(new FakeTimeProvider(), 5, out _);
        window.Acknowledge(1);
        window.Restart();
        Assert.Equal([0, 2, 3, 4], Take(window));
    }

    [Fact]
    public void The_send_window_is_bounded_in_messages_and_in_bytes()
    {
        var window = new SendWindow(new FakeTimeProvider(), new FrameBuffers(128, 4), 4, 1000);
        Assert.True(window.HasRoom(5000));       // alone, anything may go
        window.Add(new byte[128], 600);
        Assert.False(window.HasRoom(401));
        Assert.True(window.HasRoom(400));
        for (var i = 0; i < 3; i++) window.Add(new byte[128], 10);
        Assert.False(window.HasRoom(1));
        Assert.False(window.HasAmpleRoom);
    }

    private static SendWindow Window(FakeTimeProvider clock, int messages, out int written)
    {
        var window = new SendWindow(clock, new FrameBuffers(128, 4), 100, 100_000);
        written = 0;
        for (var i = 0; i < messages; i++) window.Add(new byte[128], 100);
        while (window.TryTakeNext(out var sequence, out _))
        {
            window.Written(sequence);
            written++;
        }
        return window;
    }
}
