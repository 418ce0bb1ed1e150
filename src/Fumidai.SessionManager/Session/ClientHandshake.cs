using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Fumidai.SessionManager;

/// <summary>The client's side of the handshake (protocol §4).</summary>
internal sealed class ClientHandshake(DataChannel channel, ClientChannelOptions options)
{
    private HandshakeRequest? _request;
    private SessionTypeParameters? _session;

    internal async Task<Handshake> RunAsync(CancellationToken cancellationToken)
    {
        while (await channel.ReadAnyAsync(cancellationToken))
        {
            var (type, payload) = channel.Current;
            switch (type)
            {
                case PayloadType.HandshakeRequest:
                    // Exactly one answer: a second one blocks the official agent for good (protocol §4.2).
                    if (_request is null) await AnswerAsync(payload, cancellationToken);
                    break;
                case PayloadType.EncChallengeRequest:
                    await AnswerChallengeAsync(payload, cancellationToken);
                    break;
                case PayloadType.HandshakeComplete:
                    return Complete(payload);
                default:
                    if (_request is not null)
                    {
                        options.Logger?.LogDebug("Session {SessionId}: {PayloadType} before the handshake is complete, ignored", channel.SessionId, type);
                        break;
                    }
                    // A shell without encryption, or an agent from before handshakes: data comes first and is not ours (protocol §4.1).
                    channel.Unread();
                    return new("", "", "Standard_Stream", default, "");
            }
        }
        throw new SessionEndedException(await channel.Ended);
    }

    private async Task AnswerAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        _request = MessageJson.TryRead(payload.Span, MessageJson.Relaxed.HandshakeRequest) ?? throw Failed("the agent's HandshakeRequest can't be read");
        var processed = new List<ProcessedClientAction>();
        List<string>? errors = null;
        foreach (var action in _request.RequestedClientActions ?? [])
        {
            if (action is null) continue;       // JSON may say so
            var (result, error) = action.ActionType switch
            {
                ActionTypes.SessionType => Announce(action),
                ActionTypes.KmsEncryption => await GenerateKeyAsync(action, cancellationToken),
                _ => (null, $"Unsupported action {action.ActionType}"),
            };
            var status = error is null ? ActionStatus.Success
                : action.ActionType is ActionTypes.SessionType or ActionTypes.KmsEncryption ? ActionStatus.Failed
                : ActionStatus.Unsupported;
            processed.Add(new(action.ActionType, status, result, error ?? ""));
            if (error is not null) (errors ??= []).Add(error);
        }
        await SendAsync(PayloadType.HandshakeResponse,
            JsonSerializer.SerializeToUtf8Bytes(new HandshakeResponse(options.ClientVersion, processed, errors), MessageJson.Relaxed.HandshakeResponse), cancellationToken);
    }

    private (JsonElement? Result, string? Error) Announce(RequestedClientAction action)
    {
        _session = MessageJson.TryRead(action.ActionParameters, MessageJson.Relaxed.SessionTypeParameters);
        return (null, _session?.SessionType is null ? "the parameters of SessionType can't be read" : null);
    }

    private async Task<(JsonElement? Result, string? Error)> GenerateKeyAsync(RequestedClientAction action, CancellationToken cancellationToken)
    {
        var parameters = MessageJson.TryRead(action.ActionParameters, MessageJson.Relaxed.KmsEncryptionParameters);
        if (parameters?.KmsKeyId is not { } keyId) return (null, "the parameters of KMSEncryption can't be read");
        if (options.Keys is not { } keys) return (null, "KMS encryption is not available here");
        try
        {
            var key = await keys.GenerateAsync(keyId, SessionKeyContext.Of(channel.SessionId, options.Target, challenge: null), cancellationToken);
            channel.Hold(new SessionCipher(key.Plaintext, isAgent: false));
            CryptographicOperations.ZeroMemory(key.Plaintext);
            return (JsonSerializer.SerializeToElement(new KmsEncryptionResult(Convert.ToBase64String(key.Ciphertext), null, false), MessageJson.Relaxed.KmsEncryptionResult), null);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"Failed to process action KMSEncryption: {e.Message}");
        }
    }

    /// <summary>Opens the agent's 64 bytes and seals them again with our key.</summary>
    private async Task AnswerChallengeAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (channel.HeldCipher is not { } cipher) throw Failed("the agent sent an encryption challenge without a key");
        if (!EncryptionChallenges.TryOpen(payload.Span, cipher, out var secret)) throw Failed("the agent's encryption challenge can't be opened");
        await SendAsync(PayloadType.EncChallengeResponse, EncryptionChallenges.Seal(secret, cipher), cancellationToken);
    }

    private Handshake Complete(ReadOnlyMemory<byte> payload)
    {
        var complete = MessageJson.TryRead(payload.Span, MessageJson.Relaxed.HandshakeComplete) ?? throw Failed("the agent's HandshakeComplete can't be read");
        channel.Encrypt();
        return new(_request?.AgentVersion ?? "", options.ClientVersion, _session?.SessionType ?? "Standard_Stream", _session?.Properties ?? default, complete.CustomerMessage ?? "");
    }

    private async Task SendAsync(PayloadType type, byte[] payload, CancellationToken cancellationToken)
    {
        await channel.SendAsync(type, payload, cancellationToken);
        await channel.FlushAsync(cancellationToken);
    }

    private static SessionEndedException Failed(string why) => new(new(SessionEndKind.Failed, why));
}
