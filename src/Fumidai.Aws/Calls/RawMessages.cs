using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Fumidai.Aws;

/// <summary>One request, its body already in the service's protocol.</summary>
internal sealed class RawRequest(string operation, byte[] body, string? path = null) : AmazonWebServiceRequest
{
    public string Operation { get; } = operation;

    /// <summary>Path of a REST-JSON operation; null: the other protocols' <c>/</c>.</summary>
    public string? Path { get; } = path;

    public byte[] Body { get; } = body;
}

/// <summary>The bytes of a successful answer.</summary>
internal sealed class RawResponse : AmazonWebServiceResponse
{
    public byte[] Body { get; init; } = [];
}

/// <summary>Puts a <see cref="RawRequest"/> on the wire: POST /, with the protocol's content type and target header.</summary>
internal sealed class RawMarshaller(AwsService service) : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var raw = (RawRequest)input;
        var request = new DefaultRequest(raw, service.Id) { HttpMethod = "POST", ResourcePath = raw.Path ?? "/", Content = raw.Body };
        if (raw.Path is not null)
        {
            request.Headers["Content-Type"] = "application/json";
        }
        else if (service.TargetPrefix is { } prefix)
        {
            request.Headers["Content-Type"] = "application/x-amz-json-1.1";
            request.Headers["X-Amz-Target"] = $"{prefix}.{raw.Operation}";
        }
        else
        {
            request.Headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8";
        }
        return request;
    }
}

/// <summary>Keeps the answer's bytes; makes an exception with AWS's code and text of an error, in either protocol.</summary>
internal sealed class RawUnmarshaller : ResponseUnmarshaller
{
    public override AmazonWebServiceResponse Unmarshall(UnmarshallerContext input) => new RawResponse { Body = ((RawContext)input).Body };

    public override AmazonServiceException UnmarshallException(UnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        var context = (RawContext)input;
        var headers = context.ResponseData;
        var requestId = headers.IsHeaderPresent("x-amzn-RequestId") ? headers.GetHeaderValue("x-amzn-RequestId") : null;
        var (code, message) = ReadJson(context.Body) ?? ReadXml(context.Body) ?? (null, null);
        if (code is null && headers.IsHeaderPresent("x-amzn-ErrorType"))
            code = headers.GetHeaderValue("x-amzn-ErrorType");
        code = code?.Split(':')[0];
        if (code?.LastIndexOf('#') is >= 0 and var hash)
            code = code[(hash + 1)..];
        var type = (int)statusCode >= 500 ? ErrorType.Receiver : ErrorType.Sender;
        return new AmazonServiceException(message ?? (code is null ? Encoding.UTF8.GetString(context.Body) : ""), innerException, type, code, requestId, statusCode);
    }

    protected override UnmarshallerContext ConstructUnmarshallerContext(Stream responseStream, bool maintainResponseBody, IWebResponseData response, bool isException) =>
        new RawContext(responseStream, response, isException);

    protected override UnmarshallerContext ConstructUnmarshallerContext(Stream responseStream, bool maintainResponseBody, IWebResponseData response, bool isException, IRequestContext requestContext) =>
        new RawContext(responseStream, response, isException);

    private static (string?, string?)? ReadJson(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? (json.RootElement.Text("__type") ?? json.RootElement.Text("code"), json.RootElement.Text("message") ?? json.RootElement.Text("Message"))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static (string?, string?)? ReadXml(byte[] body)
    {
        try
        {
            using var stream = new MemoryStream(body);
            using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            var error = XDocument.Load(reader).Descendants().FirstOrDefault(e => e.Name.LocalName == "Error");
            return error is null ? null : (error.Text("Code"), error.Text("Message"));
        }
        catch (XmlException)
        {
            return null;
        }
    }
}

/// <summary>An answer read to its end; none of the base class's walking through elements is used.</summary>
internal sealed class RawContext : UnmarshallerContext
{
    public RawContext(Stream stream, IWebResponseData response, bool isException)
    {
        WebResponseData = response;
        IsException = isException;
        using var body = new MemoryStream();
        stream.CopyTo(body);
        Body = body.ToArray();
    }

    public byte[] Body { get; }

    public override string CurrentPath => "";

    public override int CurrentDepth => 0;

    public override bool IsStartElement => false;

    public override bool IsEndElement => false;

    public override bool IsStartOfDocument => true;
}
