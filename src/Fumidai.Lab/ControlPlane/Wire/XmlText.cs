using System.Globalization;
using System.Security;
using System.Text;

namespace Fumidai.Lab;

/// <summary>Writes the XML inside an answer. A null value leaves its element out, as AWS does.</summary>
internal sealed class XmlText
{
    private readonly StringBuilder _text = new();

    public XmlText Element(string name, string? value)
    {
        if (value is not null)
            _text.Append('<').Append(name).Append('>').Append(SecurityElement.Escape(value)).Append("</").Append(name).Append('>');
        return this;
    }

    public XmlText Element(string name, bool value) => Element(name, value ? "true" : "false");

    public XmlText Element(string name, int? value) => Element(name, value?.ToString(CultureInfo.InvariantCulture));

    public XmlText Element(string name, double? value) => Element(name, value?.ToString(CultureInfo.InvariantCulture));

    public XmlText Element(string name, DateTimeOffset value) => Element(name, value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));

    public XmlText Group(string name, Action<XmlText> inside)
    {
        _text.Append('<').Append(name).Append('>');
        inside(this);
        _text.Append("</").Append(name).Append('>');
        return this;
    }

    public XmlText List<T>(string name, string item, IEnumerable<T> values, Action<XmlText, T> inside) =>
        Group(name, x =>
        {
            foreach (var value in values)
                x.Group(item, y => inside(y, value));
        });

    public XmlText Texts(string name, string item, IEnumerable<string> values) =>
        Group(name, x =>
        {
            foreach (var value in values)
                x.Element(item, value);
        });

    public AwsAnswer ToAnswer() => new AwsAnswer.Xml(_text.ToString());
}
