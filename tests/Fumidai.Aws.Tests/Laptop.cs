namespace Fumidai.Aws.Tests;

/// <summary>A user's machine as far as AWS settings go: a home folder of its own, files and variables. The process's environment is not touched.</summary>
internal sealed class Laptop : IDisposable
{
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    public Laptop()
    {
        Home = Directory.CreateTempSubdirectory("fumidai-aws-").FullName;
        Directory.CreateDirectory(Path.Combine(Home, ".aws"));
        // No test asks the metadata service of whatever machine it runs on.
        _variables["AWS_EC2_METADATA_DISABLED"] = "true";
    }

    /// <summary>One with keys and a region that asks everything of <paramref name="server"/>.</summary>
    public static Laptop Facing(FakeAws server) => Facing(server.Url);

    public static Laptop Facing(string url)
    {
        var laptop = new Laptop();
        laptop["AWS_ACCESS_KEY_ID"] = "AKIDENV";
        laptop["AWS_SECRET_ACCESS_KEY"] = "secret-of-env";
        laptop["AWS_REGION"] = "ap-northeast-1";
        laptop["AWS_ENDPOINT_URL"] = url;
        return laptop;
    }

    /// <summary>Takes the AWS and proxy settings of whoever runs the tests out of a child's environment.</summary>
    public static void Forget(IDictionary<string, string?> environment)
    {
        foreach (var variable in environment.Keys.Where(k => k.StartsWith("AWS_", StringComparison.Ordinal) || k.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)).ToList())
            environment.Remove(variable);
    }

    public string Home { get; }

    public string? this[string variable]
    {
        set
        {
            if (value is null)
                _variables.Remove(variable);
            else
                _variables[variable] = value;
        }
    }

    public AwsEnvironment Environment => new(_variables.GetValueOrDefault, Home);

    public void Config(string text) => Write(".aws/config", text);

    public void Credentials(string text) => Write(".aws/credentials", text);

    public string Write(string path, string text)
    {
        var full = Path.Combine(Home, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        return full;
    }

    public AwsAccess Open(AwsSettings? settings = null, TimeProvider? time = null) => AwsAccess.Open(settings ?? new AwsSettings(), time ?? TimeProvider.System, Environment);

    public AwsAccess Open(string profile) => Open(new AwsSettings { Profile = profile });

    public void Dispose() => Directory.Delete(Home, recursive: true);
}
