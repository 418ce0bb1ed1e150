using Fumidai.SessionManager;

namespace Fumidai.Testing;

/// <summary>A control plane in memory: resumes with a fresh token and URL each time, until the test says that the session is over.</summary>
public sealed class FakeSessionControl(string sessionId = "alice-0a1b2c3d4e5f60718") : ISessionControl
{
    private int _resumed;
    private int _terminated;

    /// <summary>The ticket of StartSession.</summary>
    public StreamTicket Ticket { get; init; } = new(sessionId, "token+0/==", "wss://ssmmessages.example.com/v1/data-channel/" + sessionId + "?role=publish_subscribe&cell-number=A+b/0==");

    /// <summary>ResumeSession answers null from now on.</summary>
    public bool IsOver { get; set; }

    /// <summary>Thrown by the next so many ResumeSession calls.</summary>
    public int FailingResumes { get; set; }

    public int Resumed => _resumed;
    public int Terminated => _terminated;

    public ValueTask<IReadOnlyList<KeyValuePair<string, string>>> SignAsync(string streamUrl, CancellationToken cancellationToken)
        => ValueTask.FromResult<IReadOnlyList<KeyValuePair<string, string>>>([new("Authorization", "AWS4-HMAC-SHA256 test"), new("X-Amz-Date", "20231114T221320Z")]);

    public ValueTask<StreamTicket?> ResumeAsync(string sessionId, CancellationToken cancellationToken)
    {
        var count = Interlocked.Increment(ref _resumed);
        if (FailingResumes > 0)
        {
            FailingResumes--;
            throw new HttpRequestException("no network");
        }
        return ValueTask.FromResult(IsOver ? null : Ticket with { Token = $"token+{count}/==", StreamUrl = Ticket.StreamUrl.Replace("A+b/0", $"A+b/{count}", StringComparison.Ordinal) });
    }

    public ValueTask TerminateAsync(string sessionId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _terminated);
        return ValueTask.CompletedTask;
    }
}
