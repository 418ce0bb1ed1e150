using System.Security;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>Frames answers and errors in the shape of each protocol family (aws-facts §1).</summary>
internal static class AwsReply
{
    /// <summary>Content type and body of an answer.</summary>
    public static (string ContentType, string Body) Answer(AwsProtocol protocol, string service, string version, string operation, AwsAnswer answer, string requestId) => (protocol, answer) switch
    {
        (AwsProtocol.Json11, AwsAnswer.Json json) => (JsonType, json.Body),
        (AwsProtocol.RestJson, AwsAnswer.Json json) => (RestJsonType, json.Body),
        (AwsProtocol.Ec2, AwsAnswer.Xml xml) => (XmlType,
            $"{Declaration}<{operation}Response xmlns=\"{Namespace(service, version)}\"><requestId>{requestId}</requestId>{xml.Inner}</{operation}Response>"),
        (AwsProtocol.Query, AwsAnswer.Xml xml) => (XmlType,
            $"{Declaration}<{operation}Response xmlns=\"{Namespace(service, version)}\">{(xml.Inner.Length == 0 ? "" : $"<{operation}Result>{xml.Inner}</{operation}Result>")}<ResponseMetadata><RequestId>{requestId}</RequestId></ResponseMetadata></{operation}Response>"),
        _ => throw new InvalidOperationException($"{service} answered {operation} in another protocol than its own."),
    };

    /// <summary>Content type and body of an error.</summary>
    public static (string ContentType, string Body) Error(AwsProtocol protocol, string? service, string? version, AwsError error, string requestId) => protocol switch
    {
        AwsProtocol.Json11 => (JsonType, ErrorJson(error)),
        AwsProtocol.RestJson => (RestJsonType, ErrorJson(error)),
        AwsProtocol.Ec2 => (XmlType,
            $"{Declaration}<Response><Errors><Error><Code>{error.Code}</Code><Message>{Text(error.Message)}</Message></Error></Errors><RequestID>{requestId}</RequestID></Response>"),
        _ => (XmlType,
            $"{Declaration}<ErrorResponse xmlns=\"{Namespace(service ?? "sts", version ?? "2011-06-15")}\"><Error><Type>{(error.Status < 500 ? "Sender" : "Receiver")}</Type><Code>{error.Code}</Code><Message>{Text(error.Message)}</Message></Error><RequestId>{requestId}</RequestId></ErrorResponse>"),
    };

    private const string JsonType = "application/x-amz-json-1.1";
    private const string RestJsonType = "application/json";
    private const string XmlType = "text/xml;charset=UTF-8";
    private const string Declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    private static string Namespace(string service, string version) => $"{(service is "sts" or "iam" ? "https" : "http")}://{service}.amazonaws.com/doc/{version}/";

    private static string Text(string text) => SecurityElement.Escape(text);

    private static string ErrorJson(AwsError error)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("__type", error.Code);
            // AWS gives no text with an unknown operation.
            if (error.Message.Length > 0)
                writer.WriteString("message", error.Message);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
