namespace Fumidai.Cli;

/// <summary>How much is said, and in which form.</summary>
/// <param name="Json">One JSON object per event (or one array for lists) instead of text.</param>
/// <param name="Quiet">Nothing but results and errors.</param>
/// <param name="Verbose">Logs and cause chains too, on stderr.</param>
internal readonly record struct OutputMode(bool Json, bool Quiet, bool Verbose);
