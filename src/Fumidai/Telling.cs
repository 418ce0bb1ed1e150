namespace Fumidai;

/// <summary>Makes events. Every kind used is documented in docs/events.md (a test compares).</summary>
internal static class Telling
{
    internal static void Tell(this TunnelRequest request, string kind, string text, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        if (kind == "reconnected")
            CountReconnect(request.Target.Name, fields);
        if (request.Events is not { } events)
            return;
        var members = new Dictionary<string, string>(fields.Length + 1, StringComparer.Ordinal) { ["target"] = request.Target.Name };
        foreach (var (name, value) in fields)
        {
            if (value.Length > 0)
                members[name] = value;
        }
        events.Report(new TunnelEvent(kind, text, members));
    }

    // Whoever tells of a reconnect has made one: counted here, no event can be told and not counted.
    private static void CountReconnect(string target, ReadOnlySpan<(string Name, string Value)> fields)
    {
        var route = "";
        foreach (var (name, value) in fields)
        {
            if (name == "route")
                route = value;
        }
        Telemetry.NumbersOf(target, route.Length > 0 ? route : "ssm").AddReconnect();
    }
}
