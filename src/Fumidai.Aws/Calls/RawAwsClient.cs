using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;

namespace Fumidai.Aws;

/// <summary>
/// The SDK's own pipeline (signing, retries, clock correction, endpoints) for services whose SDK package this project does without.
/// Replacing it by the SDK's client touches one question's file each. Source: dotnet-facts §2.2.
/// </summary>
internal sealed class RawAwsClient(AWSCredentials credentials, RawAwsConfig config) : AmazonServiceClient(credentials, config)
{
    private readonly AwsService _service = config.Service;

    /// <summary>A call in the query protocol; the answer's <c>…Result</c> element.</summary>
    public async Task<XElement> QueryAsync(string operation, IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken cancellationToken)
    {
        var form = new StringBuilder($"Action={operation}&Version={_service.ApiVersion}");
        foreach (var (name, value) in parameters)
            form.Append('&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        var body = await SendAsync(operation, Encoding.UTF8.GetBytes(form.ToString()), null, cancellationToken).ConfigureAwait(false);
        using var stream = new MemoryStream(body);
        using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
        var root = XDocument.Load(reader).Root!;
        return root.Child(operation + "Result") ?? root;
    }

    /// <summary>A call in the JSON 1.1 protocol. The caller disposes the answer.</summary>
    public async Task<JsonDocument> JsonAsync(string operation, Action<Utf8JsonWriter> members, CancellationToken cancellationToken)
    {
        return JsonDocument.Parse(await SendAsync(operation, Body(members), null, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>A call in the REST-JSON protocol, POST to a path. The caller disposes the answer.</summary>
    public async Task<JsonDocument> RestAsync(string operation, string path, Action<Utf8JsonWriter> members, CancellationToken cancellationToken) =>
        JsonDocument.Parse(await SendAsync(operation, Body(members), path, cancellationToken).ConfigureAwait(false));

    private static byte[] Body(Action<Utf8JsonWriter> members)
    {
        using var body = new MemoryStream();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return body.ToArray();
    }

    private async Task<byte[]> SendAsync(string operation, byte[] body, string? path, CancellationToken cancellationToken)
    {
        var options = new InvokeOptions { RequestMarshaller = new RawMarshaller(_service), ResponseUnmarshaller = new RawUnmarshaller() };
        var response = await InvokeAsync<RawResponse>(new RawRequest(operation, body, path), options, cancellationToken).ConfigureAwait(false);
        return response.Body;
    }

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new RawEndpointResolver());
        pipeline.AddHandlerAfter<RetryHandler>(new RawAuthentication());
    }

    private sealed class RawAuthentication : BaseAuthResolverHandler
    {
        protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext) => AuthSchemeOption.DEFAULT_SIGV4;
    }
}
