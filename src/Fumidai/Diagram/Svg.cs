using System.Globalization;
using System.Security;
using System.Text;

namespace Fumidai;

/// <summary>Writes an SVG picture: elements one a line, numbers in the invariant culture, every text escaped.</summary>
public sealed class Svg
{
    /// <summary>Fonts that are there: no picture of ours fetches anything.</summary>
    public const string Fonts = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif";

    private readonly StringBuilder _body = new();

    /// <summary>A whole document.</summary>
    /// <param name="width">Pixels at its natural size.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="title">What it shows, for those who hear it.</param>
    /// <param name="style">CSS; colours as variables, so that a dark page turns them.</param>
    public string Document(double width, double height, string title, string style) =>
        FormattableString.Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:0.##} {height:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\" role=\"img\" aria-label=\"{Escape(title)}\">\n<title>{Escape(title)}</title>\n<style>{style}</style>\n{_body}</svg>");

    /// <summary>An element without content.</summary>
    public void Element(string name, params (string Name, object Value)[] attributes) => _body.Append('<').Append(name).Append(Attributes(attributes)).Append("/>\n");

    /// <summary>A text.</summary>
    public void Text(double x, double y, string text, string cssClass, params (string Name, object Value)[] more) =>
        _body.Append("<text").Append(Attributes([("x", x), ("y", y), ("class", cssClass), .. more])).Append('>').Append(Escape(text)).Append("</text>\n");

    /// <summary>Opens a group; <see cref="Close"/> ends it.</summary>
    public void Open(string name, params (string Name, object Value)[] attributes) => _body.Append('<').Append(name).Append(Attributes(attributes)).Append(">\n");

    /// <summary>Ends the innermost group.</summary>
    public void Close(string name) => _body.Append("</").Append(name).Append(">\n");

    /// <summary>What a pointer that rests there is told.</summary>
    public void Tip(string text) => _body.Append("<title>").Append(Escape(text)).Append("</title>\n");

    private static string Attributes((string Name, object Value)[] attributes) => string.Concat(attributes.Select(a =>
        $" {a.Name}=\"{(a.Value is double number ? number.ToString("0.##", CultureInfo.InvariantCulture) : Escape(Convert.ToString(a.Value, CultureInfo.InvariantCulture) ?? ""))}\""));

    private static string Escape(string text) => SecurityElement.Escape(new string([.. text.Where(c => !char.IsControl(c))])) ?? "";
}
