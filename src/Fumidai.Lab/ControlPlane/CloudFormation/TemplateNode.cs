using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>A piece of a template. All scalars are texts, as CloudFormation hands them to resource types; short tags are maps of one function.</summary>
internal abstract record TemplateNode
{
    /// <summary>A text; <see cref="IsPlain"/>: written without quotes, so that JSON has it as number or boolean where it is one.</summary>
    internal sealed record Scalar(string Text, bool IsPlain = false) : TemplateNode;

    internal sealed record Sequence : TemplateNode
    {
        public Sequence(IReadOnlyList<TemplateNode> items) => Items = items;

        public override IReadOnlyList<TemplateNode> Items { get; }
    }

    internal sealed record Map(IReadOnlyDictionary<string, TemplateNode> Members) : TemplateNode
    {
        public TemplateNode? this[string name] => Members.GetValueOrDefault(name);
    }

    public static readonly Map Empty = new(new Dictionary<string, TemplateNode>());

    /// <summary>The member of a map; null: it is none, or has none of this name.</summary>
    public TemplateNode? Member(string name) => (this as Map)?[name];

    /// <summary>The scalar's text; null: it is none.</summary>
    public string? Value => (this as Scalar)?.Text;

    /// <summary>Items of a sequence; a single value counts as a sequence of one.</summary>
    public virtual IReadOnlyList<TemplateNode> Items => [this];

    /// <summary>Whether both say the same; 1 and "1" do.</summary>
    public static bool Same(TemplateNode? a, TemplateNode? b) => (a, b) switch
    {
        (null, null) => true,
        (Scalar x, Scalar y) => x.Text == y.Text || (bool.TryParse(x.Text, out var one) && bool.TryParse(y.Text, out var other) && one == other),
        (Sequence x, Sequence y) => x.Items.Count == y.Items.Count && x.Items.Zip(y.Items).All(p => Same(p.First, p.Second)),
        (Map x, Map y) => x.Members.Count == y.Members.Count && x.Members.All(m => y.Members.TryGetValue(m.Key, out var other) && Same(m.Value, other)),
        _ => false,
    };

    /// <summary>As JSON text.</summary>
    public string ToJson()
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(writer);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private void Write(Utf8JsonWriter writer)
    {
        switch (this)
        {
            case Scalar { IsPlain: true, Text: "true" or "True" }:
                writer.WriteBooleanValue(true);
                break;
            case Scalar { IsPlain: true, Text: "false" or "False" }:
                writer.WriteBooleanValue(false);
                break;
            case Scalar { IsPlain: true } number when long.TryParse(number.Text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var value):
                writer.WriteNumberValue(value);
                break;
            case Scalar scalar:
                writer.WriteStringValue(scalar.Text);
                break;
            case Sequence sequence:
                writer.WriteStartArray();
                foreach (var item in sequence.Items)
                    item.Write(writer);
                writer.WriteEndArray();
                break;
            case Map map:
                writer.WriteStartObject();
                foreach (var (name, member) in map.Members)
                {
                    writer.WritePropertyName(name);
                    member.Write(writer);
                }
                writer.WriteEndObject();
                break;
        }
    }
}
