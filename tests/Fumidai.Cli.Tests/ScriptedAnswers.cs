namespace Fumidai.Cli.Tests;

/// <summary>Somebody who answers what the test wrote down: part of an answer to choose, or a line to type.</summary>
internal sealed class ScriptedAnswers(params string[] answers) : IQuestions
{
    private readonly Queue<string> _answers = new(answers);

    public List<string> Asked { get; } = [];

    public Task<int> ChooseAsync(string question, IReadOnlyList<string> choices, CancellationToken cancellationToken)
    {
        Asked.Add(question);
        var wanted = _answers.Dequeue();
        var index = choices.ToList().FindIndex(c => c.StartsWith(wanted, StringComparison.Ordinal));
        return index >= 0 ? Task.FromResult(index) : throw new InvalidOperationException($"{question}: no answer begins with {wanted} among {string.Join(" | ", choices)}");
    }

    public Task<string> ReadAsync(string question, CancellationToken cancellationToken)
    {
        Asked.Add(question);
        return Task.FromResult(_answers.Dequeue());
    }
}
