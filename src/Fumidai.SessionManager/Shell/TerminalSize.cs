using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Fumidai.SessionManager;

/// <summary>The size of a terminal, in characters.</summary>
public readonly record struct TerminalSize(int Columns, int Rows)
{
    /// <summary>What the official client says when it has no terminal (protocol §2.2).</summary>
    public static readonly TerminalSize WithoutTerminal = new(300, 100);

    internal byte[] ToPayload()
        => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"cols":{{Columns}},"rows":{{Rows}}}"""));

    internal static bool TryRead(ReadOnlyMemory<byte> payload, out TerminalSize size)
    {
        size = default;
        try
        {
            using var json = JsonDocument.Parse(payload);
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("cols", out var columns) || !columns.TryGetInt32(out var width)
                || !json.RootElement.TryGetProperty("rows", out var rows) || !rows.TryGetInt32(out var height)) return false;
            size = new TerminalSize(width, height);
            return width is > 0 and <= ushort.MaxValue && height is > 0 and <= ushort.MaxValue;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
