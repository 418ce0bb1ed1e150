namespace Fumidai.Cli;

internal static class PluginProgram
{
    internal static Task<int> RunAsync(string[] arguments) => Task.FromResult(arguments.Length);
}
