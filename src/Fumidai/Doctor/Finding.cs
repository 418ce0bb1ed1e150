using Fumidai.Aws;

namespace Fumidai;

/// <summary>The stations of a path, in the order in which bytes and permissions meet them.</summary>
public enum Hop
{
    /// <summary>This machine: clock, port, client, proxy.</summary>
    Laptop,
    /// <summary>AWS credentials, account, region.</summary>
    Credentials,
    /// <summary>What the credentials allow.</summary>
    Permission,
    /// <summary>The instance to go through.</summary>
    Bastion,
    /// <summary>How the bastion reaches Session Manager (ssm), or how we reach the bastion (ssh, eice).</summary>
    Way,
    /// <summary>The Session Manager agent.</summary>
    Agent,
    /// <summary>Groups, ACLs and routes between bastion and database.</summary>
    Network,
    /// <summary>The database's own state.</summary>
    Database,
    /// <summary>Secret, TLS, login.</summary>
    SignIn,
}

/// <summary>The smallest repair.</summary>
/// <param name="Command">To paste.</param>
/// <param name="Change">The same as a call that <c>--fix</c> can make; null: it cannot be made for you.</param>
/// <param name="Stack">The stack of ours that owns everything it touches; null: not ours, so it is only shown.</param>
public sealed record Fix(string Command, AwsChange? Change = null, string? Stack = null);

/// <summary>One thing that is wrong.</summary>
/// <param name="Rule">The rule's name, stable, for tools.</param>
/// <param name="Hop">Where.</param>
/// <param name="What">What is wrong, one sentence without a full stop.</param>
/// <param name="Evidence">What shows it.</param>
/// <param name="Fix">What to do.</param>
/// <param name="Reason">Decides the exit code.</param>
public sealed record Finding(string Rule, Hop Hop, string What, string Evidence, Fix Fix, Reason Reason = Reason.NoRoute)
{
    /// <summary>Worth knowing, but nothing fails of it.</summary>
    public bool IsNote { get; init; }
    /// <summary>Shown only when nothing else explains it: an agent is offline because of something.</summary>
    public bool IsConsequence { get; init; }
    /// <summary>One line.</summary>
    public string Verdict => $"{What}: {Evidence}. Fix: {Fix.Command}";
}
