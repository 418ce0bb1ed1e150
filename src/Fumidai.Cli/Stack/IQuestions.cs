namespace Fumidai.Cli;

/// <summary>Somebody at a terminal who can be asked.</summary>
internal interface IQuestions
{
    /// <summary>One of several; the first is the sensible answer.</summary>
    /// <returns>Its index.</returns>
    Task<int> ChooseAsync(string question, IReadOnlyList<string> answers, CancellationToken cancellationToken);

    /// <summary>A line of text, without the spaces around it; it may be empty.</summary>
    Task<string> ReadAsync(string question, CancellationToken cancellationToken);
}
