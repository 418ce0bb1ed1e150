using System.Security.Cryptography;
using System.Text.Json;

namespace Fumidai.SessionManager;

/// <summary>The agent's side of the handshake (protocol §4). Data that arrives before it is complete is acknowledged and lost, as with the official agent (§3.3).</summary>
internal sealed class AgentHandshake(DataChannel channel, AgentChannelOptions options)
{
    private readonly string _challenge = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));

    internal async Task<Handshake> RunAsync(CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        await SendAsync(PayloadType.HandshakeRequest, JsonSerializer.SerializeToUtf8Bytes(Request(), MessageJson.Relaxed.HandshakeRequest), cancellationToken);
        var response = MessageJson.TryRead((await WaitForAsync(PayloadType.HandshakeResponse, cancellationToken)).Span, MessageJson.Relaxed.HandshakeResponse)
            ?? throw Failed("HandshakeResponse can't be read.");
        foreach (var action in response.ProcessedClientActions ?? [])
            if (action is { ActionStatus: not ActionStatus.Success })
                throw Failed($"{action.ActionType} failed on client with status {(int)action.ActionStatus} error: {action.Error}");

        var message = "";
        if (options.KmsKeyId is not null)
        {
            await AgreeOnKeyAsync(response, cancellationToken);
            message = "This session is encrypted using AWS KMS.";
        }

        // Before HandshakeComplete leaves, so that nothing a client sends after having received it can be hit.
        channel.Discard();
        channel.Encrypt();
        var nanoseconds = (long)options.Time.GetElapsedTime(started).TotalNanoseconds;
        await SendAsync(PayloadType.HandshakeComplete, JsonSerializer.SerializeToUtf8Bytes(new HandshakeComplete(nanoseconds, message), MessageJson.Relaxed.HandshakeComplete), cancellationToken);
        return new(options.AgentVersion, response.ClientVersion ?? "", options.SessionType, Properties(), message);
    }

    private HandshakeRequest Request()
    {
        var actions = new List<RequestedClientAction>
        {
            new(ActionTypes.SessionType, JsonSerializer.SerializeToElement(new SessionTypeParameters(options.SessionType, Properties()), MessageJson.Relaxed.SessionTypeParameters)),
        };
        if (options.KmsKeyId is { } key)
            actions.Add(new(ActionTypes.KmsEncryption, JsonSerializer.SerializeToElement(new KmsEncryptionParameters(key, _challenge), MessageJson.Relaxed.KmsEncryptionParameters)));
        return new(options.AgentVersion, actions);
    }

    private JsonElement Properties() => options.Properties is { } properties
        ? JsonSerializer.SerializeToElement(properties, MessageJson.Relaxed.IReadOnlyDictionaryStringString)
        : JsonDocument.Parse("null").RootElement;

    private async Task AgreeOnKeyAsync(HandshakeResponse response, CancellationToken cancellationToken)
    {
        var answer = response.ProcessedClientActions?.FirstOrDefault(a => a?.ActionType == ActionTypes.KmsEncryption)?.ActionResult;
        var result = answer is { } element ? MessageJson.TryRead(element, MessageJson.Relaxed.KmsEncryptionResult) : null;
        if (result?.KmsCipherTextKey is not { } text || options.Keys is not { } keys) throw Failed("the client did not agree on a key.");
        SessionCipher cipher;
        try
        {
            var context = SessionKeyContext.Of(options.SessionId, options.InstanceId, result.ChallengeAcknowledgement ? _challenge : null);
            var plaintext = await keys.DecryptAsync(Convert.FromBase64String(text), context, cancellationToken);
            channel.Hold(cipher = new SessionCipher(plaintext, isAgent: true));
            CryptographicOperations.ZeroMemory(plaintext);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed($"the data key can't be decrypted: {e.Message}");
        }
        var secret = RandomNumberGenerator.GetBytes(EncryptionChallenges.Size);
        await SendAsync(PayloadType.EncChallengeRequest, EncryptionChallenges.Seal(secret, cipher), cancellationToken);
        var returned = await WaitForAsync(PayloadType.EncChallengeResponse, cancellationToken);
        if (!EncryptionChallenges.TryOpen(returned.Span, cipher, out var opened) || !CryptographicOperations.FixedTimeEquals(secret, opened))
            throw Failed("the client's answer to the encryption challenge is wrong.");
    }

    /// <summary>Skips everything else: it was acknowledged when it arrived.</summary>
    private async Task<ReadOnlyMemory<byte>> WaitForAsync(PayloadType type, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.HandshakeTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (await channel.ReadAnyAsync(either.Token))
                if (channel.Current.Type == type)
                    return channel.Current.Payload;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw TimedOut();
        }
        throw new SessionEndedException(await channel.Ended);
    }

    private async Task SendAsync(PayloadType type, byte[] payload, CancellationToken cancellationToken)
    {
        await channel.SendAsync(type, payload, cancellationToken);
        await channel.FlushAsync(cancellationToken);
    }

    /// <summary>The official agent's words (vectors: handshake_timeout).</summary>
    internal static SessionEndedException TimedOut() =>
        Failed("Handshake timed out. Please ensure that you have the latest version of the session manager plugin.");

    private static SessionEndedException Failed(string why) =>
        new(new(SessionEndKind.Failed, $"\n----------ERROR-------\nEncountered error while initiating handshake. {why}"));
}
