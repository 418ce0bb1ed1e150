using System.Net;

namespace Fumidai;

/// <summary>Decides on the host key of one bastion: known, new (then learned and shown), or changed (then refused).</summary>
internal sealed class HostKeyCheck
{
    private readonly KnownHosts _hosts;
    private readonly string _instanceId;
    private readonly IPEndPoint _address;
    private readonly Action<string, string> _learned;
    private readonly IReadOnlyList<KnownKey> _byId;
    private readonly IReadOnlyList<KnownKey> _byAddress;

    /// <param name="hosts">The files.</param>
    /// <param name="instanceId">What the machine is remembered by.</param>
    /// <param name="address">What the user's file may know it by.</param>
    /// <param name="learned">Told the type and fingerprint of a key seen for the first time.</param>
    internal HostKeyCheck(KnownHosts hosts, string instanceId, IPEndPoint address, Action<string, string> learned)
    {
        _hosts = hosts;
        _instanceId = instanceId;
        _address = address;
        _learned = learned;
        _byId = hosts.ById(instanceId);
        _byAddress = hosts.ByAddress(address.Address, address.Port);
    }

    /// <summary>Key types to ask for first, so that a server with several keys shows one that we can compare.</summary>
    internal IReadOnlyList<string> KnownTypes => [.. _byId.Concat(_byAddress).Where(k => !k.IsRevoked).Select(k => k.Type).Distinct()];

    /// <summary>Null: go on. Else why the key is refused.</summary>
    internal FumidaiException? Judge(string type, byte[] blob)
    {
        bool Same(KnownKey key) => key.Blob.AsSpan().SequenceEqual(blob);
        if (_byAddress.Concat(_byId).FirstOrDefault(k => k.IsRevoked && Same(k)) is { } revoked)
            return new FumidaiException(Reason.NoRoute, $"the host key of {_instanceId} ({_address}) is revoked", $"{revoked.File}:{revoked.Line} says so: {KnownHosts.Fingerprint(blob)}") { IsAlarm = true };
        foreach (var known in new[] { _byId, _byAddress })
        {
            var trusted = known.Where(k => !k.IsRevoked).ToArray();
            if (trusted.Length > 0 && !trusted.Any(Same))
                return Changed(trusted[0], type, blob);
        }
        if (_byId.Any(Same))
            return null;
        var remembered = TryLearn(type, blob);
        if (!_byAddress.Any(Same))
            _learned($"{type} {KnownHosts.Fingerprint(blob)}", remembered ? _hosts.OwnFile! : "");
        return null;
    }

    private bool TryLearn(string type, byte[] blob)
    {
        try
        {
            return _hosts.Learn(_instanceId, type, blob);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // a home that cannot be written to: the key is shown each time instead
        }
    }

    private FumidaiException Changed(KnownKey known, string type, byte[] blob) => new(
        Reason.NoRoute,
        $"THE HOST KEY OF {_instanceId} ({_address}) HAS CHANGED",
        $"somebody may be listening in: it shows {type} {KnownHosts.Fingerprint(blob)}, but {known.File}:{known.Line} has {known.Type} {KnownHosts.Fingerprint(known.Blob)}",
        "If the machine was rebuilt, compare the fingerprint with its console output (aws ec2 get-console-output), then remove that line")
    {
        IsAlarm = true,
    };
}
