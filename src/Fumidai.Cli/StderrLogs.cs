using Microsoft.Extensions.Logging;

namespace Fumidai.Cli;

/// <summary>The logs of <c>--verbose</c>: one line each, Debug and above.</summary>
internal sealed class StderrLogs(Screen screen) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Log(screen, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("logs go to stderr only");

    public void Dispose()
    {
    }

    private sealed class Log(Screen screen, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Debug and < LogLevel.None;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var cause = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})";
            screen.Log($"{Word(logLevel)} {category}: {formatter(state, exception)}{cause}");
        }

        private static string Word(LogLevel level) => level switch
        {
            LogLevel.Debug => "debug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warning",
            _ => "error",
        };
    }
}
