using System.Globalization;

namespace Fumidai.Lab;

/// <summary>
/// What the message gateway allows a session, all of it adjustable. The service's own numbers are not documented; <see cref="Stock"/> is what third
/// parties saw of it (protocol §3.6, §9.3), <see cref="Open"/> allows everything.
/// </summary>
public sealed record ServiceModel
{
    /// <summary>No limits.</summary>
    public static readonly ServiceModel Open = new();

    /// <summary>About 1,000 messages a second for two seconds, then a pause, then a cut; payloads of 1,536 bytes; five sessions at once and two a second.</summary>
    public static readonly ServiceModel Stock = new()
    {
        MessagesPerSecond = 1000,
        Over = TimeSpan.FromSeconds(2),
        Grace = TimeSpan.FromSeconds(1),
        LargestPayload = 1536,
        StartsPerSecond = 2,
        StartsAtOnce = 5,
    };

    /// <summary>Data messages per second of one end; 0: any number.</summary>
    public int MessagesPerSecond { get; init; }

    /// <summary>For how long the rate is measured.</summary>
    public TimeSpan Over { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>From pause_publication to the cut of a connection that is still too fast.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Largest payload in bytes; a larger one is answered with pause_publication and a cut. 0: any size.</summary>
    public int LargestPayload { get; init; }

    /// <summary>StartSession calls per second of one account, above which ThrottlingException is answered; 0: any number.</summary>
    public int StartsPerSecond { get; init; }

    /// <summary>How many of them may come at once.</summary>
    public int StartsAtOnce { get; init; } = 5;

    /// <summary>Reads <c>open</c> or <c>stock</c>, followed by changes: <c>stock,payload=8192,rate=2000</c>. Null: not understood.</summary>
    public static ServiceModel? Parse(string text)
    {
        var parts = text.Split(',');
        ServiceModel? model = parts[0] switch { "open" => Open, "stock" => Stock, _ => null };
        foreach (var part in parts[1..])
        {
            var (name, value) = part.Split('=') is [var key, var number] ? (key, number) : ("", "");
            if (model is null || !double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n) || n > int.MaxValue)
                return null;
            model = name switch
            {
                "rate" => model with { MessagesPerSecond = (int)n },
                "over" when n > 0 => model with { Over = TimeSpan.FromSeconds(n) },
                "grace" => model with { Grace = TimeSpan.FromSeconds(n) },
                "payload" => model with { LargestPayload = (int)n },
                "starts" => model with { StartsPerSecond = (int)n },
                "burst" when n >= 1 => model with { StartsAtOnce = (int)n },
                _ => null,
            };
        }
        return model;
    }
}
