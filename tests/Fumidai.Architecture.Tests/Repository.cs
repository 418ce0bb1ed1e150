namespace Fumidai.Architecture.Tests;

internal static class Repository
{
    /// <summary>The checkout this test was built from.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d is not null; d = d.Parent)
        {
            if (File.Exists(Path.Combine(d.FullName, "Fumidai.slnx")))
                return d.FullName;
        }
        throw new InvalidOperationException("Fumidai.slnx not found above " + AppContext.BaseDirectory);
    }
}
