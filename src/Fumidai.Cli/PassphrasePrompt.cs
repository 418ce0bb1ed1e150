using System.Text;
using Fumidai.Aws;

namespace Fumidai.Cli;

/// <summary>Asks for the passphrase of a key file on the terminal, without echo; one question at a time.</summary>
internal sealed class PassphrasePrompt(Surroundings surroundings, Screen screen)
{
    private const int LongestPassphrase = 1024;
    // A process has one terminal.
    private static readonly SemaphoreSlim One = new(1, 1);

    /// <summary>Null: nobody can be asked, or the question was given up (Ctrl-C, Ctrl-D).</summary>
    internal async ValueTask<Secret?> AskAsync(string path, CancellationToken cancellationToken)
    {
        if (!surroundings.IsInputTerminal || !surroundings.IsErrorTerminal)
            return null;
        await One.WaitAsync(cancellationToken);
        try
        {
            screen.Waiting(null);
            // Reading a terminal cannot be cancelled; the answer of a run that is over is not waited for.
            return await Task.Run(() => Ask(path), cancellationToken).WaitAsync(cancellationToken);
        }
        finally
        {
            One.Release();
        }
    }

    private Secret? Ask(string path)
    {
        using var terminal = RawTerminal.Enter();
        if (terminal is null)
            return null;
        surroundings.Error.Write($"Passphrase for {Visible.Line(path)}: ");
        using var input = StandardInput.Open();
        var typed = Read(input);
        surroundings.Error.Write("\r\n");
        return typed is null ? null : new Secret(typed);
    }

    /// <summary>Bytes up to Enter; backspace takes one character back.</summary>
    internal static string? Read(Stream input)
    {
        var bytes = new List<byte>();
        while (bytes.Count < LongestPassphrase)
        {
            switch (input.ReadByte())
            {
                case -1 or 0x03 or 0x04:
                    return null;
                case '\r' or '\n':
                    return Encoding.UTF8.GetString([.. bytes]);
                case 0x08 or 0x7F:
                    while (bytes.Count > 0)
                    {
                        var last = bytes[^1];
                        bytes.RemoveAt(bytes.Count - 1);
                        if ((last & 0xC0) != 0x80)
                            break; // the first byte of a character; what follows it in UTF-8 is gone already
                    }
                    break;
                case var other:
                    bytes.Add((byte)other);
                    break;
            }
        }
        return null;
    }
}
