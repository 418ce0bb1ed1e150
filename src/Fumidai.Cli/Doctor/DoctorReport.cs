namespace Fumidai.Cli;

/// <summary>What doctor found, for people and for programs.</summary>
/// <param name="Target">The target's name; null: it was not found.</param>
/// <param name="Routes">Every route that could serve.</param>
/// <param name="Topology">What was read; null: nothing could be.</param>
/// <param name="Proxy">Proxy in use.</param>
internal sealed record DoctorReport(string? Target, IReadOnlyList<RouteDiagnosis> Routes, Topology? Topology, string? Proxy)
{
    /// <summary>0 when a path works, else the code of the first broken hop.</summary>
    internal int ExitCode => Routes.Any(r => r.Works) ? ExitCodes.Success : Routes.SelectMany(r => r.Findings).Select(f => (int)f.Reason).FirstOrDefault(ExitCodes.NoRoute);

    /// <summary>What is wrong, each thing once though several routes meet it.</summary>
    internal IReadOnlyList<Finding> Findings => [.. Routes.SelectMany(r => r.Findings).DistinctBy(f => (f.Rule, f.Evidence))];

    private IReadOnlyList<Finding> Notes => [.. Routes.SelectMany(r => r.Notes).DistinctBy(f => (f.Rule, f.Evidence))];

    internal IEnumerable<string> Lines(bool color)
    {
        foreach (var route in Routes)
            yield return $"{route.Route,-5} {string.Join(" → ", route.Hops.Select(h => Painted(h.Label, h.State, color)))}";
        foreach (var finding in Findings)
        {
            yield return "";
            yield return Paint(color, "31", $"✗ {finding.What}");
            yield return $"  evidence  {finding.Evidence}";
            yield return $"  fix       {finding.Fix.Command}{(finding.Fix is { Change: not null, Stack: { } stack } ? $"   (stack {stack} is ours: --fix does it)" : "")}";
            yield return $"  rule      {finding.Rule}";
        }
        foreach (var note in Notes)
        {
            yield return "";
            yield return $"note: {note.What}: {note.Evidence}. {note.Fix.Command}";
        }
        if (Topology is { Unread.Count: > 0 } topology)
        {
            yield return "";
            foreach (var (question, why) in topology.Unread.OrderBy(u => u.Key, StringComparer.Ordinal))
                yield return Paint(color, "2", $"not known: {question} ({why})");
        }
        yield return "";
        yield return Routes.FirstOrDefault(r => r.Works) is { } good ? Paint(color, "32", $"✓ {Target} can be reached by {good.Route} through {good.Bastion}{(good.Hops.All(h => h.State == HopState.Proven) ? ", proven up to the sign-in" : "")}.") : Paint(color, "31", $"✗ {Target ?? "the target"} cannot be reached.");
    }

    internal string Json() => JsonEvents.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("version", JsonEvents.SchemaVersion);
        JsonEvents.WriteText(json, "target", Target);
        json.WriteNumber("exit_code", ExitCode);
        json.WriteStartArray("routes");
        foreach (var route in Routes)
        {
            json.WriteStartObject();
            json.WriteString("route", route.Route);
            JsonEvents.WriteText(json, "bastion", route.Bastion);
            json.WriteBoolean("works", route.Works);
            json.WriteStartArray("hops");
            foreach (var (hop, label, state) in route.Hops)
            {
                json.WriteStartObject();
                json.WriteString("hop", NameOf(hop));
                json.WriteString("label", label);
                json.WriteString("state", NameOf(state));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("findings");
            foreach (var finding in route.Findings.Concat(route.Notes))
            {
                json.WriteStartObject();
                json.WriteString("rule", finding.Rule);
                json.WriteString("kind", finding.IsNote ? "note" : "broken");
                json.WriteString("hop", NameOf(finding.Hop));
                json.WriteString("what", finding.What);
                json.WriteString("evidence", finding.Evidence);
                json.WriteString("fix", finding.Fix.Command);
                json.WriteBoolean("fixable", finding.Fix is { Change: not null, Stack: not null });
                json.WriteNumber("exit_code", (int)finding.Reason);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("not_known");
        foreach (var (question, why) in Topology?.Unread ?? new Dictionary<string, string>())
            json.WriteString(question, why);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static string NameOf<T>(T value) where T : struct, Enum => string.Concat(value.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));

    private static string Painted(string label, HopState state, bool color) => state switch
    {
        HopState.Proven => Paint(color, "32", $"✓ {label}"),
        HopState.Good => Paint(color, "32", label),
        HopState.Broken => Paint(color, "31;1", $"✗ {label}"),
        _ => Paint(color, "2", $"· {label}"),
    };

    private static string Paint(bool color, string code, string text) => color ? $"\x1b[{code}m{text}\x1b[0m" : text;
}
