namespace Fumidai.Aws;

/// <summary>The environment as AWS settings see it: variables, and the home folder that <c>~</c> stands for. Empty counts as unset.</summary>
internal sealed class AwsEnvironment(Func<string, string?> read, string home)
{
    public static AwsEnvironment OfThisProcess() => new(
        Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    public string Home { get; } = home;

    public string? this[string name] => read(name) is { Length: > 0 } value ? value : null;

    /// <summary>The variable in lower case first, then in upper case: the order proxies are looked up in.</summary>
    public string? LowerThenUpper(string lower) => this[lower] ?? this[lower.ToUpperInvariant()];

    public bool IsTrue(string name) => string.Equals(this[name], "true", StringComparison.OrdinalIgnoreCase);

    public string Expand(string path) => path == "~" ? Home
        : path.StartsWith("~/", StringComparison.Ordinal) || path.StartsWith("~\\", StringComparison.Ordinal) ? Path.Combine(Home, path[2..])
        : path;
}
