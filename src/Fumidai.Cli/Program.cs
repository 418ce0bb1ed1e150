using Fumidai.Cli;

// The plugin's callers start it with SIGINT, SIGQUIT and SIGTSTP ignored, and what is ignored at the start .NET never delivers: this comes
// before anything touches the console or registers for a signal.
if (CalledAs.IsPlugin(args))
{
    CalledAs.ResetIgnoredSignals();
    return await PluginProgram.RunAsync(args);
}
if (args is [BecomeClient.Word, ..])
    return BecomeClient.Run(args.AsSpan(1));
return await CommandProgram.RunAsync(args);
