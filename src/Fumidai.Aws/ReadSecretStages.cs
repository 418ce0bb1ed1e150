using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>A user and a password that sign in together; the password is zeroed with it.</summary>
/// <param name="User">User name.</param>
/// <param name="Password">Password or token.</param>
public sealed record DatabaseCredential(string User, SecretBytes Password) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Password.Dispose();
}

/// <summary>
/// What does a secret hold in one of its stages? Rotation writes AWSPENDING, gives it to the database, and only then moves AWSCURRENT, leaving AWSPREVIOUS
/// (aws-facts §3.1): in between, the database and AWSCURRENT disagree.
/// </summary>
public static class ReadSecretStages
{
    /// <summary>The stage that holds unless a rotation is under way.</summary>
    public const string Current = "AWSCURRENT";

    /// <summary>In the order in which they may be right when AWSCURRENT is refused.</summary>
    public static IReadOnlyList<string> Others { get; } = ["AWSPENDING", "AWSPREVIOUS"];

    private const string Operation = "secretsmanager:GetSecretValue";

    /// <summary>Reads <c>username</c> and <c>password</c>. Null: the secret has no such stage. What came over the network is zeroed here.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="secretId">Name or ARN.</param>
    /// <param name="stage">AWSCURRENT, AWSPENDING or AWSPREVIOUS.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="AwsFailure">Not found, not allowed, or not of this shape (Refused).</exception>
    public static async Task<DatabaseCredential?> ReadAsync(AwsAccess access, string secretId, string stage, CancellationToken cancellationToken)
    {
        JsonDocument answer;
        try
        {
            answer = await access.AskAsync(AwsService.SecretsManager, "GetSecretValue",
                stop => access.SecretsManager.JsonAsync("GetSecretValue", json =>
                {
                    json.WriteString("SecretId", secretId);
                    json.WriteString("VersionStage", stage);
                }, stop), cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure e) when (stage != Current && e.Kind == AwsFailureKind.NotFound)
        {
            return null;
        }
        using (answer)
        {
            if (!answer.RootElement.TryGetProperty("SecretString", out var text) || text.ValueKind != JsonValueKind.String)
                throw Unfit(secretId, "holds no text (SecretString)");
            var raw = JsonMarshal.GetRawUtf8Value(text);
            var unescaped = new byte[raw.Length];
            try
            {
                var reader = new Utf8JsonReader(raw);
                reader.Read();
                return Parse(secretId, unescaped.AsSpan(0, reader.CopyString(unescaped)));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(unescaped);
                // The answer's own buffer, which nobody else has.
                MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(raw), raw.Length).Clear();
            }
        }
    }

    private static DatabaseCredential Parse(string secretId, ReadOnlySpan<byte> json)
    {
        string? user = null;
        SecretBytes? password = null;
        var copied = new byte[json.Length];
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                    continue;
                var isUser = reader.ValueTextEquals("username"u8);
                var isPassword = reader.ValueTextEquals("password"u8);
                if (!reader.Read() || reader.TokenType != JsonTokenType.String)
                {
                    reader.Skip();
                    continue;
                }
                if (isUser)
                    user = reader.GetString();
                else if (isPassword)
                    password = new SecretBytes(copied.AsSpan(0, reader.CopyString(copied)));
            }
        }
        catch (JsonException)
        {
            password?.Dispose();
            // Without the inner exception: its text may quote the secret.
            throw Unfit(secretId, "is not JSON with username and password");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(copied);
        }
        if (user is { Length: > 0 } && password is { Memory.Length: > 0 })
            return new DatabaseCredential(user, password);
        password?.Dispose();
        throw Unfit(secretId, user is { Length: > 0 } ? "is JSON without password" : "is JSON without username");
    }

    private static AwsFailure Unfit(string secretId, string what) => new(AwsFailureKind.Refused, Operation, null, $"{Operation}: secret {secretId} {what}");
}
