namespace Fumidai.Stacks;

/// <summary>Files compiled in.</summary>
internal static class Resources
{
    public static string[] Lines(string name)
    {
        using var stream = typeof(Resources).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not compiled in");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().TrimEnd().ReplaceLineEndings("\n").Split('\n');
    }
}
