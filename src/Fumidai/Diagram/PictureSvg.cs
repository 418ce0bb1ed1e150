namespace Fumidai;

/// <summary>The picture as SVG: good for a slide, in light and dark, readable at 1000 pixels; colours are never the only sign.</summary>
public static class PictureSvg
{
    private const string Style = ":root{--ground:#fff;--ink:#1f2328;--faint:#59636e;--rule:#d1d9e0;--lane:#f6f8fa;--box:#fff;--good:#1a7f37;--broken:#cf222e;--unreached:#8c959f;--cost:#8250df;--door:#9a6700}"
        + "@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--ink:#f0f6fc;--faint:#9198a1;--rule:#3d444d;--lane:#151b23;--box:#0d1117;--good:#3fb950;--broken:#f85149;--unreached:#656c76;--cost:#bc8cff;--door:#d29922}}"
        + "text{font-family:" + Svg.Fonts + ";font-size:12px;fill:var(--ink)}.head{font-size:20px;font-weight:600}.name{font-size:13px;font-weight:600}.faint{fill:var(--faint)}.cost{fill:var(--cost);font-weight:600}.door{fill:var(--door)}"
        + ".ground{fill:var(--ground)}.vpc{fill:none;stroke:var(--ink);stroke-width:1.5}.internet{fill:none;stroke:var(--rule);stroke-dasharray:4 4}.lane{fill:var(--lane);stroke:var(--rule)}.subnet{fill:var(--ground);stroke:var(--rule)}"
        + ".part{fill:var(--box);stroke:var(--rule);stroke-width:1.5}.part.proven,.part.good{stroke:var(--good)}.part.proven{stroke-width:2.5}.part.broken{stroke:var(--broken);stroke-width:2.5}.part.unreached{stroke:var(--unreached);stroke-dasharray:3 3}"
        + ".link{fill:none;stroke-width:2.5}.link.proven,.link.good{stroke:var(--good)}.link.good{stroke-dasharray:9 4}.link.broken{stroke:var(--broken)}.link.unreached{stroke:var(--unreached);stroke-dasharray:2 5}"
        + ".tag{fill:var(--ground);stroke:var(--rule)}.mark{fill:var(--broken)}.cross{stroke:#fff;stroke-width:2}.dot{stroke:none}.dot.proven,.dot.good{fill:var(--good)}.dot.broken{fill:var(--broken)}.dot.unreached{fill:var(--unreached)}.leaf{fill:var(--door)}.knob{fill:var(--box)}";

    // Characters of 12 pixels that fit a box, and the page.
    private const int InBox = 26;
    private const int InPage = 150;

    /// <summary>Draws.</summary>
    public static string Of(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var layout = new PictureLayout(picture);
        var svg = new Svg();
        List<(string Class, string Text)> footer =
        [
            .. picture.Verdicts.SelectMany(v => Lines((v.Works ? "✓ " : "✗ ") + v.Sentence, InPage)).Select(l => ("", l)),
            ("cost", picture.CostSentence),
            .. picture.LeftOut is { } left ? Lines(left, InPage).Select(l => ("faint", l)) : [],
        ];
        var height = layout.Vpc.Bottom + 40 + footer.Count * 19 + 14;
        svg.Element("rect", ("class", "ground"), ("width", PictureLayout.Width), ("height", height));
        svg.Text(20, 36, picture.Title, "head");
        Frames(svg, picture, layout);
        foreach (var link in Spread(picture.Links))
            Link(svg, layout, link.Link, link.Offset);
        foreach (var part in picture.Parts)
            Part(svg, layout.Parts[part.Id], part);
        foreach (var link in Spread(picture.Links))
            Sign(svg, layout, link.Link, link.Offset, picture.Links.First(l => l.Route == link.Link.Route) == link.Link);
        Legend(svg, layout.Vpc.Bottom + 24);
        var y = layout.Vpc.Bottom + 52;
        foreach (var (css, text) in footer)
        {
            svg.Text(20, y, text, css);
            y += 19;
        }
        return svg.Document(PictureLayout.Width, height, $"The way to {picture.Title}", Style);
    }

    private static void Frames(Svg svg, Picture picture, PictureLayout layout)
    {
        Rect(svg, "internet", layout.Internet, 8);
        svg.Text(layout.Internet.X + 12, layout.Internet.Y + 22, "internet", "faint");
        Rect(svg, "vpc", layout.Vpc, 8);
        svg.Text(layout.Vpc.X + 14, layout.Vpc.Y + 24, Cut(picture.Vpc, 84), "name");
        foreach (var zone in picture.Zones)
        {
            Rect(svg, "lane", layout.Zones[zone.Name], 6);
            svg.Text(layout.Zones[zone.Name].X + 12, layout.Zones[zone.Name].Y + 19, zone.Name, "faint");
            foreach (var subnet in zone.Subnets)
            {
                Rect(svg, "subnet", layout.Subnets[subnet.Id], 4);
                svg.Text(layout.Subnets[subnet.Id].X + 12, layout.Subnets[subnet.Id].Y + 18, Cut($"{subnet.Label}{(subnet.Parts.Count == 0 ? "  (in the database's subnet group)" : "")}", 84), "faint");
            }
        }
    }

    private static void Part(Svg svg, Box box, PicturePart part)
    {
        svg.Open("g");
        svg.Tip(string.Join(", ", [part.Title, .. part.Details, .. part.Doors, .. part.Cost is { } cost ? new[] { cost } : []]));
        Rect(svg, $"part {Css(part.State)}".TrimEnd(), box, 6);
        svg.Text(box.X + 10, box.Y + 20, Cut(part.Title, InBox - 2), "name");
        var y = box.Y + 20 + PictureLayout.LineHeight;
        foreach (var line in part.Details)
        {
            svg.Text(box.X + 10, y, Cut(line, InBox), "faint");
            y += PictureLayout.LineHeight;
        }
        foreach (var door in part.Doors)
        {
            // A security group is a door: a leaf with a knob, and who may come in.
            svg.Element("rect", ("class", "leaf"), ("x", box.X + 10), ("y", y - 11), ("width", 8.0), ("height", 13.0), ("rx", 1.0));
            svg.Element("circle", ("class", "knob"), ("cx", box.X + 16), ("cy", y - 4), ("r", 1.3));
            svg.Text(box.X + 23, y, Cut(door, InBox - 3), "door");
            y += PictureLayout.LineHeight;
        }
        if (part.Cost is { } price)
            svg.Text(box.X + 10, y, price, "cost");
        svg.Close("g");
    }

    // Routes between the same parts run side by side.
    private static IEnumerable<(PictureLink Link, double Offset)> Spread(IReadOnlyList<PictureLink> links) => links
        .GroupBy(l => l.To).SelectMany(g => g.Select((l, i) => (l, (i - (g.Count() - 1) / 2.0) * 14)));

    private static (double X1, double Y1, double X2, double Y2) Ends(PictureLayout layout, PictureLink link, double offset)
    {
        var (from, to) = (layout.Parts[link.From], layout.Parts[link.To]);
        return (from.Right, from.Middle + offset, to.X, to.Middle + offset);
    }

    private static void Link(Svg svg, PictureLayout layout, PictureLink link, double offset)
    {
        var (x1, y1, x2, y2) = Ends(layout, link, offset);
        var middle = (x1 + x2) / 2;
        svg.Element("path", ("class", $"link {Css(link.State)}"), ("d", FormattableString.Invariant($"M{x1:0.#} {y1:0.#}C{middle:0.#} {y1:0.#} {middle:0.#} {y2:0.#} {x2 - 7:0.#} {y2:0.#}")));
        svg.Element("path", ("class", $"dot {Css(link.State)}"), ("d", FormattableString.Invariant($"M{x2:0.#} {y2:0.#}l-9 -5v10z")));
    }

    private static void Sign(Svg svg, PictureLayout layout, PictureLink link, double offset, bool isFirst)
    {
        var (x1, y1, x2, y2) = Ends(layout, link, offset);
        var (x, y) = ((x1 + x2) / 2, (y1 + y2) / 2);
        if (isFirst)
        {
            svg.Element("rect", ("class", "tag"), ("x", x - 15), ("y", y2 - 26), ("width", 30.0), ("height", 17.0), ("rx", 4.0));
            svg.Text(x - 12, y2 - 13, link.Route, "");
        }
        if (link.State != HopState.Broken)
            return;
        svg.Element("circle", ("class", "mark"), ("cx", x), ("cy", y), ("r", 9.0));
        svg.Element("path", ("class", "cross"), ("d", FormattableString.Invariant($"M{x - 4:0.#} {y - 4:0.#}l8 8m0 -8l-8 8")));
    }

    private static void Legend(Svg svg, double y)
    {
        var x = 20.0;
        foreach (var (state, word) in new[] { (HopState.Proven, "proven"), (HopState.Good, "nothing speaks against it"), (HopState.Broken, "broken"), (HopState.Unreached, "behind the broken one") })
        {
            svg.Element("path", ("class", $"link {Css(state)}"), ("d", FormattableString.Invariant($"M{x:0.#} {y - 4:0.#}h34")));
            svg.Text(x + 42, y, word, "faint");
            x += 60 + word.Length * 6.6;
        }
        svg.Element("rect", ("class", "leaf"), ("x", x), ("y", y - 11), ("width", 8.0), ("height", 13.0), ("rx", 1.0));
        svg.Text(x + 14, y, "security group: what it lets in", "faint");
    }

    private static void Rect(Svg svg, string css, Box box, double radius) =>
        svg.Element("rect", ("class", css), ("x", box.X), ("y", box.Y), ("width", box.Width), ("height", box.Height), ("rx", radius));

    private static string Css(HopState? state) => state switch { HopState.Proven => "proven", HopState.Good => "good", HopState.Broken => "broken", HopState.Unreached => "unreached", _ => "" };

    internal static string Cut(string text, int most) => text.Length <= most ? text : text[..(most - 1)] + "…";

    internal static IEnumerable<string> Lines(string text, int most)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > most)
            {
                yield return line;
                line = "    ";
            }
            line += line.Trim().Length == 0 ? word : " " + word;
        }
        yield return line;
    }
}
