namespace Fumidai.Lab;

/// <summary>What every part of one lab shares.</summary>
internal sealed class LabContext
{
    public required LabOptions Options { get; init; }
    public required LabModel Model { get; init; }
    /// <summary>The lab's clock; a control call moves it. Everything of the lab that asks for the time asks it.</summary>
    public required LabClock Time { get; init; }
    public required LabAuthority Authority { get; init; }
    /// <summary>Keys and sessions; issues credentials for a role (an instance's, an agent's).</summary>
    public required Identities Identities { get; init; }
    /// <summary>Proves signatures.</summary>
    public required RequestAuthentication Authentication { get; init; }
    /// <summary>Evaluates policies.</summary>
    public required Permissions Permissions { get; init; }
    /// <summary>What goes on after calls were answered.</summary>
    public required Transitions Transitions { get; init; }
    /// <summary>One line per answered call, without secrets.</summary>
    public required CallLog Calls { get; init; }
    /// <summary>The lab's directory (0700), removed at the end unless the user named it.</summary>
    public required string Directory { get; init; }
    /// <summary><c>http://127.0.0.1:PORT</c>; set once the port is bound. The same port speaks https and wss under the lab's CA.</summary>
    public Uri ApiAddress { get; set; } = new("http://127.0.0.1:0");
    /// <summary><c>wss://127.0.0.1:PORT</c>: in front of a StreamUrl's path.</summary>
    public string StreamAddress => $"wss://{ApiAddress.Authority}";
    /// <summary>The machines behind the model; changes nothing where no part runs any.</summary>
    public ILabMachines Machines { get; set; } = new NoMachines();
}
