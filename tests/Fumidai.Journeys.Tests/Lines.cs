using System.Text;

namespace Fumidai.Journeys.Tests;

/// <summary>Text as it arrives, with a way to wait for a line of it.</summary>
internal sealed class Lines
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public async Task ReadAsync(StreamReader reader)
    {
        var buffer = new char[16 * 1024];
        int read;
        while ((read = await reader.ReadAsync(buffer)) > 0)
            Wake(() => _text.Append(buffer, 0, read));
        Wake(() => _ended = true);
    }

    public async Task<string?> FirstAsync(string text, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                var all = _text.ToString();
                var at = all.IndexOf(text, StringComparison.Ordinal);
                var end = at < 0 ? -1 : all.IndexOf('\n', at);
                if (at >= 0 && (end >= 0 || _ended))
                    return all[(all.LastIndexOf('\n', at) + 1)..(end < 0 ? all.Length : end)];
                if (_ended)
                    return null;
                more = _more.Task;
            }
            await more.WaitAsync(cancellationToken);
        }
    }

    private void Wake(Action change)
    {
        TaskCompletionSource wake;
        lock (_gate)
        {
            change();
            wake = _more;
            _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        wake.SetResult();
    }

    public override string ToString()
    {
        lock (_gate)
            return _text.ToString();
    }
}
