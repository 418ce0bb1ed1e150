namespace Fumidai.Aws;

/// <summary>A value that must not be shown: it cannot print itself.</summary>
/// <param name="value">The secret text.</param>
public sealed class Secret(string value)
{
    /// <summary>The secret text, for the one place that needs it.</summary>
    public string Reveal() => value;

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";
}
