using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Fumidai.SessionManager.Tests;

/// <summary>
/// A conversation of the official plugin and agent as the layers above the data channel see it: payloads in order, and what happened
/// outside. Bulk frames that the recording left out are put back from the byte pattern and the rows it kept.
/// </summary>
internal sealed class Transcript
{
    private Transcript(string name, JsonObject meta, List<JsonObject> lines) => (Name, Meta, Lines) = (name, meta, lines);

    public string Name { get; }

    public JsonObject Meta { get; }

    /// <summary>From the end of the handshake on.</summary>
    public List<JsonObject> Lines { get; }

    public string ClientVersion => (string)Meta["plugin"]!;

    public string AgentVersion => (string)Meta["agent"]!;

    public static Transcript Load(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Ports", "transcripts", name + ".jsonl");
        var all = File.ReadLines(path).Select(line => JsonNode.Parse(line)!.AsObject()).ToList();
        var meta = all[0]["meta"]!.AsObject();
        foreach (var note in all.Where(line => line["properties"] is not null)) meta["properties"] = note["properties"]!.DeepClone();
        var complete = all.FindIndex(line => (int?)line["payloadType"] == (int)PayloadType.HandshakeComplete);
        var lines = all.Skip(complete + 1).SelectMany(line => line["cut"] is JsonObject cut ? Uncut(name, cut, all) : [line]).ToList();
        return new Transcript(name, meta, lines);
    }

    public IReadOnlyDictionary<string, string> Properties
        => Meta["properties"]!.AsObject().ToDictionary(property => property.Key, property => (string)property.Value!);

    /// <summary>Payloads of one direction, handshake left out, a resent message once.</summary>
    public IEnumerable<ReceivedPayload> PayloadsFrom(string side)
    {
        var seen = new HashSet<long>();
        foreach (var line in Lines)
            if (IsPayload(line) && (string)line["from"]! == side && seen.Add((long)line["sequenceNumber"]!))
                yield return PayloadOf(line);
    }

    public static bool IsPayload(JsonObject line) => (string?)line["kind"] == "payload" && (string)line["messageType"]! != "channel_closed";

    public static ReceivedPayload PayloadOf(JsonObject line)
        => new((PayloadType)(int)line["payloadType"]!, Convert.FromHexString((string)line["hex"]!));

    /// <summary>What a local line says was sent: the bytes, or the pattern of a bulk recording.</summary>
    public byte[] BytesOf(JsonObject line)
    {
        if ((string?)line["hex"] is { } hex) return Convert.FromHexString(hex);
        var length = (int)line["length"]!;
        foreach (var seed in Enumerable.Range(0, 128))
        {
            var bytes = TestBytes.Pattern((uint)seed, length);
            if (TestBytes.Sha256(bytes) == (string)line["sha256"]!) return bytes;
        }
        throw new InvalidDataException($"{Name}: unknown bytes at {line["n"]}");
    }

    // Each row: n, ms, direction, kind, sequence number, payload bytes, frames that start in it. The frame lengths can be read off the
    // recording and the bytes are the pattern; whether the result is right, the recording's own hash tells.
    private static IEnumerable<JsonObject> Uncut(string name, JsonObject cut, List<JsonObject> all)
    {
        var (code, from, to, type, seed) = name == "bulk_upload_1mib"
            ? ("ca", "client", "agent", "input_stream_data", 43u) : ("ac", "agent", "client", "output_stream_data", 42u);
        var rows = cut["rows"]!.AsArray().Select(row => row!.AsArray()).Where(row => (string)row[2]! == code && (string)row[3]! == "D").ToList();
        var before = all.TakeWhile(line => line["cut"] is null)
            .Where(line => IsPayload(line) && (string)line["from"]! == from && (int)line["payloadType"]! == (int)PayloadType.Output)
            .SelectMany(line => Convert.FromHexString((string)line["hex"]!)).ToArray();

        var log = new SmuxLog();
        log.Add(before);
        var data = TestBytes.Pattern(seed, 1024 * 1024).AsMemory(log.BytesOf(3).Length);
        using var rest = new MemoryStream();
        rest.Write(data.Span[..log.Missing]);
        data = data[log.Missing..];
        foreach (var frame in rows.Where(row => row.Count > 6).Select(row => (string)row[6]!))
        {
            var length = int.Parse(frame.Split(':')[1], CultureInfo.InvariantCulture);
            rest.Write(TestBytes.Frame(MuxCommand.Psh, 3, data.Span[..length]));
            data = data[length..];
        }

        var stream = rest.ToArray().AsMemory(0, rows.Sum(row => (int)row[5]!));
        Assert.Equal((string)cut["sha256OfFramesInOrder"]![$"{from}>{to} Output payloads"]!, TestBytes.Sha256(stream.Span));
        foreach (var row in rows)
        {
            var length = (int)row[5]!;
            yield return new JsonObject
            {
                ["n"] = (int)row[0]!,
                ["from"] = from,
                ["to"] = to,
                ["kind"] = "payload",
                ["messageType"] = type,
                ["sequenceNumber"] = (long)row[4]!,
                ["payloadType"] = (int)PayloadType.Output,
                ["hex"] = Convert.ToHexStringLower(stream.Span[..length]),
            };
            stream = stream[length..];
        }
    }
}
