namespace Fumidai.Cli.Tests;

/// <summary>The checkout these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fumidai.slnx")))
                return folder.FullName;
        }
        throw new InvalidOperationException("no checkout above " + AppContext.BaseDirectory);
    }
}
