using System.Security.Cryptography;
using System.Text;
using Fumidai.Aws;
using Renci.SshNet;
using Renci.SshNet.Common;
using Renci.SshNet.Security;

namespace Fumidai;

/// <summary>
/// With which keys to log in: those of <c>--identity FILE</c>; else a key pair made in memory and pushed by EC2 Instance Connect just before,
/// followed by the keys of a running ssh-agent.
/// </summary>
internal sealed class SshIdentity
{
    internal const string PassphraseVariable = "FUMIDAI_IDENTITY_PASSPHRASE";
    private const int PassphraseTries = 3;

    /// <summary>sshd gives up on a client after six keys by default; the pushed one is the first.</summary>
    private const int MostAgentKeys = 5;

    private readonly string? _file;
    private readonly SshAgent? _agent;
    private readonly Func<string, CancellationToken, Task> _push;
    private readonly Secret? _passphrase;
    private readonly Func<string, CancellationToken, ValueTask<Secret?>>? _ask;
    private PrivateKeyFile? _loaded;

    /// <param name="file">The key file named by the user; null: none.</param>
    /// <param name="environment">For <c>SSH_AUTH_SOCK</c> and the passphrase.</param>
    /// <param name="push">Pushes an OpenSSH public key line to the bastion.</param>
    /// <param name="ask">Asks a person for a passphrase; null: nobody is there.</param>
    internal SshIdentity(string? file, Func<string, string?> environment, Func<string, CancellationToken, Task> push, Func<string, CancellationToken, ValueTask<Secret?>>? ask)
    {
        _file = file;
        _agent = environment("SSH_AUTH_SOCK") is { Length: > 0 } socket ? new SshAgent(socket) : null;
        _push = push;
        _passphrase = environment(PassphraseVariable) is { Length: > 0 } passphrase ? new Secret(passphrase) : null;
        _ask = ask;
    }

    /// <summary>What to advise when the server takes none of the keys.</summary>
    internal string Advice => _file is not null
        ? "Is the file's public key in the login's authorized_keys, and is it the right login (bastion: user: in fumidai.yaml)?"
        : "Does the image have EC2 Instance Connect, and is it the right login (bastion: user: in fumidai.yaml)? Else use --identity FILE";

    /// <summary>Keys for one login, in the order to offer them. The pushed key is good for 60 seconds.</summary>
    /// <exception cref="FumidaiException">The file cannot be used, or no key can be pushed and there is no other.</exception>
    internal async Task<IPrivateKeySource[]> KeysAsync(CancellationToken cancellationToken)
    {
        if (_file is not null)
            return [_loaded ??= await LoadAsync(_file, cancellationToken).ConfigureAwait(false)];
        var agentKeys = _agent?.Keys(MostAgentKeys) ?? [];
        var (key, line) = Generate();
        try
        {
            await _push(line, cancellationToken).ConfigureAwait(false);
            return [key, .. agentKeys];
        }
        catch (AwsFailure) when (agentKeys.Count > 0)
        {
            return [.. agentKeys];
        }
        catch (AwsFailure e)
        {
            throw e.ToFumidai("cannot push a key with EC2 Instance Connect", Reason.NoRoute, "Use --identity FILE, or load a key into ssh-agent");
        }
    }

    /// <summary>A fresh Ed25519 key pair; it never touches a file.</summary>
    private static (PrivateKeyFile Key, string Line) Generate()
    {
        var seed = RandomNumberGenerator.GetBytes(32);
        var key = new ED25519Key(seed);
        CryptographicOperations.ZeroMemory(seed);
        byte[] blob = [0, 0, 0, 11, .. "ssh-ed25519"u8, 0, 0, 0, 32, .. key.PublicKey];
        return (new PrivateKeyFile(key), $"ssh-ed25519 {Convert.ToBase64String(blob)} fumidai");
    }

    private async Task<PrivateKeyFile> LoadAsync(string file, CancellationToken cancellationToken)
    {
        byte[] content;
        try
        {
            content = await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FumidaiException(Reason.Configuration, $"cannot read the key file {file}", e.Message, inner: e);
        }
        try
        {
            return new PrivateKeyFile(new MemoryStream(content));
        }
        catch (SshPassPhraseNullOrEmptyException)
        {
            return await DecryptAsync(file, content, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var isPublic = Encoding.ASCII.GetString(content.AsSpan(0, Math.Min(content.Length, 64))) is var head
                && (head.StartsWith("ssh-", StringComparison.Ordinal) || head.StartsWith("ecdsa-", StringComparison.Ordinal));
            throw new FumidaiException(
                Reason.Configuration, $"cannot use the key file {file}", isPublic ? "it is a public key" : e.Message,
                isPublic ? "Name the private one" : "RSA, ECDSA and Ed25519 keys are supported", inner: e);
        }
    }

    private async Task<PrivateKeyFile> DecryptAsync(string file, byte[] content, CancellationToken cancellationToken)
    {
        if (_passphrase is not null)
            return TryDecrypt(content, _passphrase) ?? throw Wrong(file, $"{PassphraseVariable} does not open it");
        if (_ask is null)
            throw Wrong(file, $"it is encrypted, and there is no terminal to ask for its passphrase: set {PassphraseVariable}, or add the key to ssh-agent");
        for (var attempt = 0; attempt < PassphraseTries; attempt++)
        {
            var answer = await _ask(file, cancellationToken).ConfigureAwait(false);
            if (answer is null)
                throw Wrong(file, $"it is encrypted, and no passphrase was given: run it on a terminal, set {PassphraseVariable}, or add the key to ssh-agent");
            if (TryDecrypt(content, answer) is { } key)
                return key;
        }
        throw Wrong(file, $"none of the {PassphraseTries} passphrases opens it");
    }

    private static PrivateKeyFile? TryDecrypt(byte[] content, Secret passphrase)
    {
        try
        {
            return new PrivateKeyFile(new MemoryStream(content), passphrase.Reveal());
        }
        catch (Exception e) when (e is SshException or CryptographicException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            // A wrong passphrase shows as whatever the garbage happens to break; some formats by padding, some by check bytes.
            return null;
        }
    }

    private static FumidaiException Wrong(string file, string cause) => new(Reason.Configuration, $"cannot open the key file {file}", cause);
}
