using System.Text.Json;
using Amazon.SimpleSystemsManagement.Model;

namespace Fumidai.Aws;

/// <summary>The account's Session Manager preferences in a region. Source: aws-facts §2.4.</summary>
/// <param name="KmsKeyId">Key that sessions are encrypted with; null: none.</param>
/// <param name="S3Bucket">Where shells are logged; null: nowhere.</param>
/// <param name="LogGroup">Where shells are logged; null: nowhere.</param>
/// <param name="IdleMinutes">Minutes of silence after which a session ends; null: 20.</param>
/// <param name="MaxMinutes">Minutes after which any session ends; null: never.</param>
public sealed record SessionPreferences(string? KmsKeyId, string? S3Bucket, string? LogGroup, int? IdleMinutes, int? MaxMinutes);

/// <summary>What do the Session Manager preferences say? ssm:GetDocument of SSM-SessionManagerRunShell.</summary>
public static class ReadSessionPreferences
{
    /// <summary>The document's name.</summary>
    public const string Document = "SSM-SessionManagerRunShell";

    /// <summary>The preferences; the defaults where the account has made none.</summary>
    public static async Task<SessionPreferences> AskAsync(AwsAccess access, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await access.AskAsync(AwsService.Ssm, "GetDocument", stop => access.Ssm.GetDocumentAsync(new GetDocumentRequest { Name = Document }, stop), cancellationToken).ConfigureAwait(false);
            return Parse(answer.Content);
        }
        catch (AwsFailure f) when (f.Code is "InvalidDocument" or "InvalidDocumentException")
        {
            return new SessionPreferences(null, null, null, null, null);
        }
    }

    internal static SessionPreferences Parse(string content)
    {
        using var json = JsonDocument.Parse(content);
        var inputs = json.RootElement.TryGetProperty("inputs", out var found) ? found : default;
        int? Number(string name) => int.TryParse(inputs.Text(name), System.Globalization.CultureInfo.InvariantCulture, out var minutes) ? minutes : null;
        return new SessionPreferences(inputs.Text("kmsKeyId"), inputs.Text("s3BucketName"), inputs.Text("cloudWatchLogGroupName"), Number("idleSessionTimeout"), Number("maxSessionDuration"));
    }
}
