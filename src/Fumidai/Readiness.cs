using System.Globalization;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>
/// Proves once that the far end answers: TCP, and for PostgreSQL an answered SSLRequest. Made only when a user is about to connect, because
/// a repeated probe would keep a paused cluster awake and billed.
/// </summary>
internal sealed class Readiness(IRoute route, Target target, TimeProvider time)
{
    /// <summary>How long a far end that does not pause may take. A filtered port is silent for minutes; nobody waits that long.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    /// <summary>A cluster at 0 ACU resumes in about 15 s, after a day's pause in 30 s or more (aws-facts §4.2).</summary>
    internal static readonly TimeSpan LimitWhenPausable = TimeSpan.FromSeconds(60);

    /// <summary>Between two tries while a paused cluster resumes.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private bool IsPausable => target.Database?.MinCapacity is 0;

    /// <exception cref="FumidaiException">NoRoute: refused, silent, or not what it should be.</exception>
    internal async Task ProveAsync(CancellationToken cancellationToken)
    {
        var limit = IsPausable ? LimitWhenPausable : Limit;
        using var deadline = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        FumidaiException? last = null;
        try
        {
            while (true)
            {
                try
                {
                    await ProbeAsync(both.Token).ConfigureAwait(false);
                    return;
                }
                catch (FumidaiException e) when (IsPausable && e.IsTransient)
                {
                    last = e;
                }
                await Task.Delay(Pause, time, both.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw last ?? Silent(limit);
        }
    }

    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var channel = await route.OpenAsync(target.Address, cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            if (target.IsPostgres)
                await AskAsync(channel, cancellationToken).ConfigureAwait(false);
            else if (channel is IConfirmedLater later)
                await later.ConfirmAsync(cancellationToken).ConfigureAwait(false);
            channel.Abort(new OperationCanceledException("the probe is over"));
        }
    }

    private async Task AskAsync(RouteChannel channel, CancellationToken cancellationToken)
    {
        try
        {
            SslRequest.Bytes.CopyTo(channel.Output.GetSpan(SslRequest.Bytes.Length));
            channel.Output.Advance(SslRequest.Bytes.Length);
            await channel.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            while (true)
            {
                var result = await channel.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
                var buffer = result.Buffer;
                var read = SslAnswer.TryRead(ref buffer, out var answer);
                channel.Input.AdvanceTo(buffer.Start, result.Buffer.End);
                if (read)
                {
                    Judge(answer!);
                    return;
                }
                if (result.IsCompleted)
                    break;
            }
        }
        catch (PostgresProtocolException e)
        {
            throw Unreachable(e.Message, "Is this the port of a PostgreSQL server?", retry: false, e);
        }
        catch (Exception e) when (e is not (FumidaiException or OperationCanceledException))
        {
            throw Unreachable(e.Message, null, retry: true, e);
        }
        // It ended without a word: the channel may know why.
        using var ending = cancellationToken.UnsafeRegister(static (state, token) => ((RouteChannel)state!).Abort(new OperationCanceledException(token)), channel);
        await channel.Output.CompleteAsync().ConfigureAwait(false);
        var reason = await channel.Ended.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        throw reason as FumidaiException ?? Unreachable(reason?.Message ?? "the far end closed the connection without an answer", null, retry: true, reason);
    }

    private void Judge(SslAnswer answer)
    {
        // While the server starts it says so (57P03); a paused cluster may answer the same (aws-facts §4.2).
        if (answer is { Kind: SslAnswerKind.Error, Error: { } error })
            throw Unreachable(error.ToString(), null, retry: true, null);
    }

    private FumidaiException Silent(TimeSpan limit) => Unreachable(
        string.Create(CultureInfo.InvariantCulture, $"no answer within {limit.TotalSeconds:0} s"),
        target.Database is { } database
            ? string.Create(CultureInfo.InvariantCulture, $"Its security groups ({string.Join(", ", database.SecurityGroupIds)}) must admit the bastion to port {target.Address.Port}")
            : "Something on the way drops the packets: check its security group and the port",
        retry: true, null);

    private FumidaiException Unreachable(string cause, string? next, bool retry, Exception? inner) =>
        new(Reason.NoRoute, $"{target.Name} ({target.Address}) does not answer through {route.Name} {route.Bastion}", cause, next, retry, inner);
}

/// <summary>A channel whose opening alone proves nothing (ssm): it can be asked to find out.</summary>
internal interface IConfirmedLater
{
    /// <summary>Completes when the far end was reached; uses the channel up.</summary>
    /// <exception cref="FumidaiException">It refused.</exception>
    Task ConfirmAsync(CancellationToken cancellationToken);
}
