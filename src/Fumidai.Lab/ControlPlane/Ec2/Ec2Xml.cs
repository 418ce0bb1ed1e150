namespace Fumidai.Lab;

/// <summary>Elements that many EC2 answers share.</summary>
internal static class Ec2Xml
{
    public static XmlText Tags(this XmlText xml, Resource resource) =>
        xml.List("tagSet", "item", resource.Tags, (x, tag) => x.Element("key", tag.Key).Element("value", tag.Value));

    /// <summary>A describe answer: the set and the token for the next page.</summary>
    public static AwsAnswer Set<T>(string name, (IReadOnlyList<T> Page, string? Next) found, Action<XmlText, T> item) =>
        new XmlText().List(name, "item", found.Page, item).Element("nextToken", found.Next).ToAnswer();

    public static readonly AwsAnswer True = new XmlText().Element("return", true).ToAnswer();
}
