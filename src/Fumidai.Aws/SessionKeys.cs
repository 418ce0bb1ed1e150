using Amazon.KeyManagementService.Model;
using Fumidai.SessionManager;

namespace Fumidai.Aws;

/// <summary>Keys for encrypted sessions, from AWS KMS (protocol §4.3).</summary>
public static class SessionKeys
{
    private const int KeyBytes = 64;

    /// <summary>A source of session keys with these credentials: the caller needs <c>kms:GenerateDataKey</c>, the agent <c>kms:Decrypt</c>.</summary>
    public static ISessionKeySource FromKms(AwsAccess access) => new KmsKeySource(access);

    private sealed class KmsKeySource(AwsAccess access) : ISessionKeySource
    {
        public async ValueTask<SessionDataKey> GenerateAsync(string kmsKeyId, IReadOnlyDictionary<string, string> encryptionContext, CancellationToken cancellationToken)
        {
            var request = new GenerateDataKeyRequest { KeyId = kmsKeyId, NumberOfBytes = KeyBytes, EncryptionContext = new(encryptionContext) };
            var answer = await access.AskAsync(AwsService.Kms, "GenerateDataKey", stop => access.Kms.GenerateDataKeyAsync(request, stop), cancellationToken).ConfigureAwait(false);
            var key = new SessionDataKey(answer.Plaintext.ToArray(), answer.CiphertextBlob.ToArray());
            return key.Plaintext.Length == KeyBytes ? key
                : throw new AwsFailure(AwsFailureKind.Refused, "kms:GenerateDataKey", null, $"kms:GenerateDataKey: a key of {key.Plaintext.Length} bytes came instead of {KeyBytes}");
        }

        public async ValueTask<byte[]> DecryptAsync(byte[] ciphertext, IReadOnlyDictionary<string, string> encryptionContext, CancellationToken cancellationToken)
        {
            var request = new DecryptRequest { CiphertextBlob = new MemoryStream(ciphertext), EncryptionContext = new(encryptionContext) };
            var answer = await access.AskAsync(AwsService.Kms, "Decrypt", stop => access.Kms.DecryptAsync(request, stop), cancellationToken).ConfigureAwait(false);
            return answer.Plaintext.ToArray();
        }
    }
}
