namespace Fumidai;

/// <summary>A route that can be asked whether its other end still lives, without asking the target anything.</summary>
internal interface IAnsweringRoute
{
    /// <summary>Whether it answered in time.</summary>
    ValueTask<bool> AnswersAsync(TimeSpan within, CancellationToken cancellationToken);
}
