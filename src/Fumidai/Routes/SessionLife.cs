using System.Globalization;
using Fumidai.Aws;

namespace Fumidai;

/// <summary>How long the account lets Session Manager sessions live (aws-facts §2.4).</summary>
/// <param name="Idle">Silence that ends a session; null: the account says nothing, which means 20 minutes.</param>
/// <param name="Longest">Age that ends any session; null: none does.</param>
internal sealed record SessionLife(TimeSpan? Idle, TimeSpan? Longest)
{
    private static readonly TimeSpan LongestLead = TimeSpan.FromMinutes(5);

    /// <summary>So long before its end a session gets its successor.</summary>
    internal TimeSpan Lead => Longest is { } longest && longest / 4 < LongestLead ? longest / 4 : LongestLead;

    /// <summary>Null: the account has made no such preferences.</summary>
    internal string? Text
    {
        get
        {
            string[] parts =
            [
                .. Idle is { } idle ? [string.Create(CultureInfo.InvariantCulture, $"after {idle.TotalMinutes:0} silent minutes")] : Array.Empty<string>(),
                .. Longest is { } longest ? [string.Create(CultureInfo.InvariantCulture, $"{longest.TotalMinutes:0} minutes after their start in any case")] : Array.Empty<string>(),
            ];
            return parts.Length == 0 ? null : "Sessions end " + string.Join(" and ", parts) + ", by the account's preferences";
        }
    }

    /// <summary>Asks the account. Null: it may not be asked, or did not answer; sessions then end when they end.</summary>
    internal static async Task<SessionLife?> AskAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        try
        {
            var preferences = await ReadSessionPreferences.AskAsync(access, cancellationToken).ConfigureAwait(false);
            return new SessionLife(Minutes(preferences.IdleMinutes), Minutes(preferences.MaxMinutes));
        }
        catch (Exception e) when (e is AwsFailure or OperationCanceledException or System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static TimeSpan? Minutes(int? minutes) => minutes is > 0 ? TimeSpan.FromMinutes(minutes.Value) : null;
}
