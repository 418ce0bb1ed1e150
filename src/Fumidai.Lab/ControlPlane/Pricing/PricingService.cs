using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>
/// The Price List API's GetProducts, in the shape of the real one: each product a JSON document inside a string, prices with ten decimals, filters that all
/// must match, answered in the few regions that have it. Lab only: its list is short, and its SKUs are made up.
/// </summary>
internal sealed class PricingService : IAwsService
{
    private static readonly string[] Regions = ["us-east-1", "eu-central-1", "ap-south-1"];

    private static readonly Product[] Products = [.. Read()];

    private sealed record Product(string Service, string Unit, string Usd, IReadOnlyDictionary<string, string> Attributes, string Sku);

    public string SigningName => "pricing";
    public AwsProtocol Protocol => AwsProtocol.Json11;
    public string TargetPrefixOrVersion => "AWSPriceListService";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        if (call.Operation != "GetProducts")
            throw ApiDispatch.UnknownOperation(this, call);
        if (!Regions.Contains(call.Region))
            throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
        var body = new JsonBody(call.Json!.Value);
        var service = body.Required("ServiceCode");
        if (!Products.Any(p => p.Service == service))
            throw new AwsError("InvalidParameterException", $"Invalid service code: {service}");
        if (body.Text("FormatVersion") is { } version && version != "aws_v1")
            throw new AwsError("InvalidParameterException", $"Unsupported format version: {version}");
        if (body.Number("MaxResults") is < 1 or > 100)
            throw new AwsError("InvalidParameterException", "MaxResults must be between 1 and 100");
        var filters = body.Structures("Filters").Select(f => (Type: f.Required("Type"), Field: f.Required("Field"), Value: f.Required("Value"))).ToList();
        if (filters.Exists(f => f.Type != "TERM_MATCH"))
            throw new AwsError("InvalidParameterException", "This lab matches terms only");
        var found = Products.Where(p => p.Service == service && filters.TrueForAll(f => string.Equals(p.Attributes.GetValueOrDefault(f.Field), f.Value, StringComparison.OrdinalIgnoreCase))).ToList();
        var (page, next) = Paging.Cut(found, body.Text("NextToken"), body.Number("MaxResults") ?? 100, () => new AwsError("InvalidNextTokenException", "The pagination token is invalid."));
        return ValueTask.FromResult<AwsAnswer>(JsonBody.Write(json =>
        {
            json.WriteString("FormatVersion", "aws_v1");
            json.WriteStartArray("PriceList");
            foreach (var product in page)
                json.WriteStringValue(Document(product));
            json.WriteEndArray();
            if (next is not null)
                json.WriteString("NextToken", next);
        }));
    }

    private static string Document(Product product)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("product");
            json.WriteStartObject("attributes");
            foreach (var (name, value) in product.Attributes)
                json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteString("sku", product.Sku);
            json.WriteEndObject();
            json.WriteString("serviceCode", product.Service);
            json.WriteStartObject("terms");
            json.WriteStartObject("OnDemand");
            json.WriteStartObject($"{product.Sku}.JRTCKXETXF");
            json.WriteStartObject("priceDimensions");
            json.WriteStartObject($"{product.Sku}.JRTCKXETXF.6YS6EN2CT7");
            json.WriteString("unit", product.Unit);
            json.WriteString("endRange", "Inf");
            json.WriteString("description", $"USD {product.Usd} per {product.Unit}");
            json.WriteStartArray("appliesTo");
            json.WriteEndArray();
            json.WriteString("rateCode", $"{product.Sku}.JRTCKXETXF.6YS6EN2CT7");
            json.WriteString("beginRange", "0");
            json.WriteStartObject("pricePerUnit");
            json.WriteString("USD", product.Usd);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteString("sku", product.Sku);
            json.WriteString("effectiveDate", "2026-11-01T00:00:00Z");
            json.WriteString("offerTermCode", "JRTCKXETXF");
            json.WriteStartObject("termAttributes");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteString("version", "20261101000000");
            json.WriteString("publicationDate", "2026-11-01T00:00:00Z");
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static IEnumerable<Product> Read()
    {
        using var stream = typeof(PricingService).Assembly.GetManifestResourceStream("Fumidai.Lab.products.csv") ?? throw new InvalidOperationException("the price list is not compiled in");
        using var reader = new StreamReader(stream);
        var number = 0;
        foreach (var line in reader.ReadToEnd().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            var fields = line.Split(',');
            var attributes = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["servicecode"] = fields[0],
                [fields[0] == "AWSDataTransfer" ? "fromRegionCode" : "regionCode"] = fields[1],
                ["usagetype"] = fields[2],
            };
            foreach (var pair in fields[5].Split(';', StringSplitOptions.RemoveEmptyEntries))
                attributes[pair.Split('=')[0]] = pair.Split('=')[1];
            yield return new Product(fields[0], fields[3], fields[4], attributes, FormattableString.Invariant($"LAB{++number:0000000000000}"));
        }
    }
}
