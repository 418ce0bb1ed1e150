namespace Fumidai;

/// <summary>The picture for a terminal: each route as a line of stations, then what stands where.</summary>
public static class PictureText
{
    /// <summary>Lines without line ends.</summary>
    /// <param name="picture">What is drawn.</param>
    /// <param name="width">Columns at most.</param>
    /// <param name="color">Whether verdicts are coloured too.</param>
    public static IEnumerable<string> Of(Picture picture, int width, bool color)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return Draw(picture, Math.Max(width, 40), color);
    }

    private static IEnumerable<string> Draw(Picture picture, int width, bool color)
    {
        yield return PictureSvg.Cut(picture.Title, width);
        yield return "";
        var names = picture.Parts.ToDictionary(p => p.Id, p => p is { Kind: PartKind.Bastion or PartKind.Gateway, Details: [var id, ..] } ? id : p.Title, StringComparer.Ordinal);
        foreach (var route in picture.Links.GroupBy(l => l.Route))
        {
            // Stations are wrapped, never cut: a route is the point of the picture.
            var line = $"{route.Key,-4}  {names[route.First().From]}";
            var length = line.Length;
            foreach (var link in route)
            {
                var (sign, ansi) = Sign(link.State);
                if (length + 5 + names[link.To].Length > width)
                {
                    yield return line;
                    line = "      ";
                    length = 6;
                }
                line += $" {Paint(color, ansi, $"━{sign}▶")} {names[link.To]}";
                length += 5 + names[link.To].Length;
            }
            yield return line;
        }
        yield return "";
        foreach (var part in picture.Internet.Prepend(picture.Laptop))
            yield return Line("", part, width, color);
        yield return PictureSvg.Cut(picture.Vpc, width);
        for (var z = 0; z < picture.Zones.Count; z++)
        {
            var lastZone = z == picture.Zones.Count - 1;
            var zone = picture.Zones[z];
            yield return PictureSvg.Cut($"{(lastZone ? "└" : "├")}─ {zone.Name}", width);
            for (var s = 0; s < zone.Subnets.Count; s++)
            {
                var subnet = zone.Subnets[s];
                var lastSubnet = s == zone.Subnets.Count - 1;
                var beneath = $"{(lastZone ? " " : "│")}  {(lastSubnet ? " " : "│")}  ";
                yield return PictureSvg.Cut($"{(lastZone ? " " : "│")}  {(lastSubnet ? "└" : "├")}─ {subnet.Label}{(subnet.Parts.Count == 0 ? "  (the database's subnet group)" : "")}", width);
                foreach (var part in subnet.Parts)
                {
                    yield return Line(beneath, part, width, color);
                    foreach (var door in part.Doors)
                        yield return PictureSvg.Cut($"{beneath}    ▯ {door}", width);
                }
            }
        }
        yield return "";
        foreach (var (works, sentence) in picture.Verdicts)
        {
            foreach (var line in PictureSvg.Lines((works ? "✓ " : "✗ ") + sentence, width))
                yield return Paint(color, works ? "32" : "31", line);
        }
        foreach (var line in PictureSvg.Lines(picture.CostSentence, width))
            yield return line;
        if (picture.LeftOut is { } left)
        {
            foreach (var line in PictureSvg.Lines(left, width))
                yield return line;
        }
    }

    private static string Line(string lead, PicturePart part, int width, bool color)
    {
        var (sign, ansi) = part.State is { } state ? Sign(state) : (" ", "0");
        var text = PictureSvg.Cut($"{part.Title}  {(part.Cost is { } cost ? $"{cost}  " : "")}{string.Join("  ", part.Details)}".TrimEnd(), width - lead.Length - 2);
        return $"{lead}{Paint(color && part.State is not null, ansi, sign)} {text}";
    }

    private static (string Sign, string Ansi) Sign(HopState state) => state switch
    {
        HopState.Proven => ("✓", "32"),
        HopState.Good => ("·", "32"),
        HopState.Broken => ("✗", "31"),
        _ => ("?", "2"),
    };

    private static string Paint(bool color, string ansi, string text) => color ? $"\x1b[{ansi}m{text}\x1b[0m" : text;
}
