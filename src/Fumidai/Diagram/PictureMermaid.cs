using System.Text;

namespace Fumidai;

/// <summary>The picture as a Mermaid flowchart, for Markdown pages that render it.</summary>
public static class PictureMermaid
{
    /// <summary>Draws.</summary>
    public static string Of(Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var text = new StringBuilder("flowchart LR\n");
        var ids = picture.Parts.Select((p, i) => (p.Id, Node: FormattableString.Invariant($"n{i}"))).ToDictionary(p => p.Id, p => p.Node, StringComparer.Ordinal);
        Node(text, "  ", ids, picture.Laptop);
        if (picture.Internet.Count > 0)
        {
            text.Append("  subgraph internet[\"internet\"]\n");
            foreach (var part in picture.Internet)
                Node(text, "    ", ids, part);
            text.Append("  end\n");
        }
        text.Append("  subgraph vpc[\"").Append(Quoted(picture.Vpc)).Append("\"]\n");
        var number = 0;
        foreach (var zone in picture.Zones)
        {
            text.Append("    subgraph z").Append(++number).Append("[\"").Append(Quoted(zone.Name)).Append("\"]\n");
            // Mermaid takes an empty subgraph for a mistake.
            foreach (var subnet in zone.Subnets)
            {
                text.Append("      subgraph s").Append(++number).Append("[\"").Append(Quoted(subnet.Label)).Append("\"]\n");
                if (subnet.Parts.Count == 0)
                    text.Append("        e").Append(number).Append("[\"the database's subnet group\"]\n");
                foreach (var part in subnet.Parts)
                    Node(text, "        ", ids, part);
                text.Append("      end\n");
            }
            text.Append("    end\n");
        }
        text.Append("  end\n");
        for (var i = 0; i < picture.Links.Count; i++)
        {
            var link = picture.Links[i];
            text.Append("  ").Append(ids[link.From]).Append(link.State is HopState.Good or HopState.Unreached ? " -. \"" : " -- \"").Append(link.Route).Append(link.State == HopState.Broken ? " ✗" : "")
                .Append(link.State is HopState.Good or HopState.Unreached ? "\" .-> " : "\" --> ").Append(ids[link.To]).Append('\n');
            text.Append("  linkStyle ").Append(i).Append(" stroke:").Append(Color(link.State)).Append(",stroke-width:2px\n");
        }
        foreach (var part in picture.Parts.Where(p => p.State is not null))
            text.Append("  style ").Append(ids[part.Id]).Append(" stroke:").Append(Color(part.State!.Value)).Append(",stroke-width:2px\n");
        return text.ToString().TrimEnd('\n');
    }

    private static void Node(StringBuilder text, string lead, Dictionary<string, string> ids, PicturePart part) =>
        text.Append(lead).Append(ids[part.Id]).Append("[\"").AppendJoin("<br/>", ((string[])[part.Title, .. part.Details, .. part.Doors.Select(d => "in: " + d), .. part.Cost is { } cost ? new[] { cost } : []]).Select(Quoted)).Append("\"]\n");

    private static string Color(HopState state) => state switch { HopState.Proven or HopState.Good => "#1a7f37", HopState.Broken => "#cf222e", _ => "#8c959f" };

    // Within quotation marks only these end a label or begin an element; Mermaid's own escapes are #code; ones.
    private static string Quoted(string text) => new StringBuilder(text).Replace("#", "#35;").Replace("\"", "#quot;").Replace("<", "#lt;").Replace(">", "#gt;").Replace("&", "#amp;").Replace("\n", " ").ToString();
}
