namespace Fumidai.SessionManager;

/// <summary>
/// How large and how frequent our messages may be (protocol §3.6, §9.3). It starts with what is certain, 1,024 bytes and 900 messages a second.
/// Under load it first tries larger payloads, one message at a time, each made of nothing but NOPs so that it can be taken back; then, for a little
/// longer than the span over which the service is said to measure, a rate just above the limit it is said to have. What the service bears is used
/// from then on; at the first sign against it (pause_publication, a lost connection, a missing acknowledgement) it steps back and does not ask again.
/// Pure state; the owner holds a lock around every call.
/// </summary>
internal sealed class UploadControl
{
    /// <summary>Messages a second while climbing at which no limit is assumed any more.</summary>
    private const int NoLimit = 100_000;

    /// <summary>Above the thousand a second that the service is said to bear, by little.</summary>
    internal const int TrialRate = 1_250;

    /// <summary>Longer than the two seconds over which the service is said to measure.</summary>
    internal static readonly TimeSpan TrialTime = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan ClimbTime = TimeSpan.FromMilliseconds(250);

    /// <summary>A sign this soon after a payload was first used is a sign against it.</summary>
    private static readonly TimeSpan ProbationTime = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a probe's acknowledgement may take at least before it counts as missing.</summary>
    internal static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(1);

    /// <summary>A sender that had to wait within this time is under load.</summary>
    private static readonly TimeSpan LoadTime = TimeSpan.FromMilliseconds(100);

    /// <summary>1,536 is in daily use by third parties; 8 KiB and 32 KiB were seen to pass, and not to (protocol §3.6).</summary>
    private static readonly int[] Sizes = [1024, 1536, 4096, 8192, 16_384, 32_768];

    private readonly TimeProvider _time;
    private readonly UploadLimits _limits;
    private readonly int _safeRate;
    private readonly int _largestPayload;
    private int _provenRate;
    private bool _rateDenied;
    private bool _sizeDenied;
    private bool _trying;
    private long _since;              // the current rate
    private long _sentSince;
    private long _loaded;             // a sender last waited
    private bool _everLoaded;
    private long? _probeAt;
    private int _probe;
    private long _grownAt;            // the payload last grew
    private int _previousPayload;
    private int _acknowledgedSince;

    /// <param name="time">The clock.</param>
    /// <param name="limits">What other sessions of the same route have met.</param>
    /// <param name="safeRate">Messages a second that are certain; 0: no limit at all.</param>
    /// <param name="payload">Payload that is certain.</param>
    /// <param name="largestPayload">Largest payload to try.</param>
    internal UploadControl(TimeProvider time, UploadLimits limits, int safeRate, int payload, int largestPayload)
    {
        (_time, _limits, _safeRate, _largestPayload) = (time, limits, safeRate, largestPayload);
        Rate = _provenRate = safeRate;
        Payload = _previousPayload = payload;
        _since = time.GetTimestamp();
    }

    /// <summary>Messages a second allowed now; 0: no limit.</summary>
    internal int Rate { get; private set; }

    /// <summary>Largest payload allowed now, in bytes.</summary>
    internal int Payload { get; private set; }

    /// <summary>Whether a probe is under way.</summary>
    internal bool IsProbing => _probeAt is not null;

    /// <summary>Size of the probe that should be sent now; 0: none.</summary>
    internal int WantedProbe
    {
        get
        {
            if (_sizeDenied || _probeAt is not null || !IsLoaded || _acknowledgedSince < 8) return 0;
            var next = Next;
            return next <= Math.Min(_largestPayload, _limits.LargestPayload) ? next : 0;
        }
    }

    private int Next
    {
        get
        {
            foreach (var size in Sizes)
                if (size > Payload) return size;
            return int.MaxValue;
        }
    }

    private bool IsLoaded => _everLoaded && _time.GetElapsedTime(_loaded) < LoadTime;

    /// <summary>A sender has to wait, for the rate or the window.</summary>
    internal void OnLoad()
    {
        _loaded = _time.GetTimestamp();
        _everLoaded = true;
    }

    /// <summary>A new message is on its way. True: the rate has changed.</summary>
    internal bool OnSent()
    {
        _sentSince++;
        if (_safeRate == 0 || Rate == 0 || _rateDenied || !_everLoaded) return false;
        var held = _time.GetElapsedTime(_since);
        // The rate counts as borne when it was really used for the whole time.
        var used = _sentSince >= held.TotalSeconds * Rate * 0.85;
        if (!_trying)
        {
            if (WantedProbe > 0 || IsProbing) return false;
            if (_limits.RateDenied || !IsLoaded || held < ClimbTime) return false;
            _trying = true;
            return Set(TrialRate);
        }
        if (Rate == TrialRate)
        {
            if (held < TrialTime) return false;
            if (!used)
            {
                _trying = false;
                return Set(_provenRate);
            }
            _provenRate = TrialRate;
            return Set(TrialRate * 2);
        }
        if (held >= TrialTime && used) _provenRate = Rate;
        return held >= ClimbTime && used && IsLoaded && Set(Rate * 2 >= NoLimit ? 0 : Rate * 2);
    }

    private bool Set(int rate)
    {
        Rate = rate;
        _since = _time.GetTimestamp();
        _sentSince = 0;
        return true;
    }

    /// <summary>A message's first copy was acknowledged.</summary>
    internal void OnAcknowledged() => _acknowledgedSince++;

    /// <summary>The probe is on its way.</summary>
    internal void OnProbeSent(int size) => (_probe, _probeAt) = (size, _time.GetTimestamp());

    /// <summary>The peer has the probe: from now on messages may be as large.</summary>
    internal void OnProbeAcknowledged()
    {
        if (_probeAt is null) return;
        (_previousPayload, Payload, _probeAt) = (Payload, _probe, null);
        _grownAt = _time.GetTimestamp();
        _acknowledgedSince = 0;
    }

    /// <summary>Whether the probe's acknowledgement is missing.</summary>
    internal bool ProbeIsOverdue(TimeSpan resendAfter) => _probeAt is { } at && _time.GetElapsedTime(at) > ProbeLimit + resendAfter;

    /// <summary>
    /// A sign that it was too much: a pause, a lost connection, a probe without an answer. True: a probe failed, which is to be taken back.
    /// </summary>
    /// <param name="pause">pause_publication; a connection may be lost for many reasons, a pause has one.</param>
    internal bool OnSign(bool pause)
    {
        var probeFailed = _probeAt is not null;
        if (probeFailed)
        {
            _sizeDenied = true;
            _limits.LargestPayload = Payload;
            _probeAt = null;
        }
        else if (Payload > _previousPayload && _time.GetElapsedTime(_grownAt) < ProbationTime)
        {
            _sizeDenied = true;
            Payload = _limits.LargestPayload = _previousPayload;
        }
        else if (_trying && pause)
        {
            _rateDenied = _limits.RateDenied = true;
        }
        if (_trying && (pause || Rate != 0))
        {
            _trying = false;
            Set(_rateDenied || pause ? _provenRate : _safeRate);
        }
        return probeFailed;
    }
}

/// <summary>What the sessions of one route have found that the service does not bear. What it does bear, each session finds out for itself.</summary>
public sealed class UploadLimits
{
    private int _largestPayload = int.MaxValue;
    private volatile bool _rateDenied;

    /// <summary>No larger payload is tried, in bytes.</summary>
    public int LargestPayload
    {
        get => Volatile.Read(ref _largestPayload);
        set => Volatile.Write(ref _largestPayload, Math.Min(value, LargestPayload));
    }

    /// <summary>A higher rate than the safe one was answered with a pause.</summary>
    public bool RateDenied
    {
        get => _rateDenied;
        set => _rateDenied = value;
    }
}
