using Spectre.Console;

namespace Fumidai.Cli;

/// <summary>Asks on the terminal. Words for people go to stderr: stdout has results only.</summary>
internal sealed class TerminalQuestions(Surroundings surroundings) : IQuestions
{
    public async Task<int> ChooseAsync(string question, IReadOnlyList<string> answers, CancellationToken cancellationToken)
    {
        var prompt = new SelectionPrompt<int>()
            .Title(Markup.Escape(question))
            .PageSize(15)
            .UseConverter(i => Markup.Escape(Visible.Line(answers[i])))
            .AddChoices(Enumerable.Range(0, answers.Count));
        var chosen = await prompt.ShowAsync(Open(), cancellationToken);
        // The list goes when it is answered; the answer stays to be read.
        surroundings.Error.WriteLine($"{question} {Visible.Line(answers[chosen])}");
        return chosen;
    }

    public async Task<string> ReadAsync(string question, CancellationToken cancellationToken) =>
        (await new TextPrompt<string>(Markup.Escape(question)).AllowEmpty().ShowAsync(Open(), cancellationToken)).Trim();

    private IAnsiConsole Open() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(surroundings.Error),
        ColorSystem = surroundings.UsesColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        Ansi = AnsiSupport.Yes,
        Interactive = InteractionSupport.Yes,
    });
}
