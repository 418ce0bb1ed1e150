using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>AWS's public parameters that name the newest Amazon Linux images (aws-facts §2.6). The lab has one image, so both processors get it.</summary>
internal static class PublicParameters
{
    private const string Image = "ami-0lab0000000000001";
    private const string Folder = "/aws/service/ami-amazon-linux-latest/";

    private static readonly string[] s_names = [Folder + "al2023-ami-kernel-default-arm64", Folder + "al2023-ami-kernel-default-x86_64"];

    public static string Arn(string region, string name) => $"arn:aws:ssm:{region}::parameter/{name.TrimStart('/')}";

    /// <summary>A parameter's value; null: there is none of this name.</summary>
    public static string? ValueOf(string name) => s_names.Contains(name) ? Image : null;

    public static AwsAnswer Get(AwsCall call, JsonBody body)
    {
        var name = body.Required("Name");
        if (!s_names.Contains(name))
            throw new AwsError("ParameterNotFound", "");
        return JsonBody.Write(json =>
        {
            json.WritePropertyName("Parameter");
            Write(json, call.Region, name);
        });
    }

    public static AwsAnswer GetMany(AwsCall call, JsonBody body)
    {
        var names = body.Texts("Names");
        if (names.Count is 0 or > 10)
            throw new AwsError("ValidationException", "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length between 1 and 10");
        return JsonBody.Write(json =>
        {
            json.WriteStartArray("Parameters");
            foreach (var name in names.Where(s_names.Contains))
                Write(json, call.Region, name);
            json.WriteEndArray();
            json.WriteStartArray("InvalidParameters");
            foreach (var name in names.Where(name => !s_names.Contains(name)))
                json.WriteStringValue(name);
            json.WriteEndArray();
        });
    }

    public static AwsAnswer ByPath(AwsCall call, JsonBody body)
    {
        var path = body.Required("Path").TrimEnd('/') + "/";
        var isRecursive = call.Json!.Value.TryGetProperty("Recursive", out var recursive) && recursive.ValueKind == JsonValueKind.True;
        var found = s_names.Where(name => name.StartsWith(path, StringComparison.Ordinal) && (isRecursive || !name[path.Length..].Contains('/', StringComparison.Ordinal))).ToList();
        var (page, next) = Paging.Cut(found, body.Text("NextToken"), body.Number("MaxResults") ?? 10, static () => new("InvalidNextToken", "The specified token is not valid."));
        return JsonBody.Write(json =>
        {
            json.WriteStartArray("Parameters");
            foreach (var name in page)
                Write(json, call.Region, name);
            json.WriteEndArray();
            if (next is not null)
                json.WriteString("NextToken", next);
        });
    }

    private static void Write(Utf8JsonWriter json, string region, string name)
    {
        json.WriteStartObject();
        json.WriteString("Name", name);
        json.WriteString("Type", "String");
        json.WriteString("Value", Image);
        json.WriteNumber("Version", 1);
        json.WriteNumber("LastModifiedDate", 1_760_000_000.0);
        json.WriteString("ARN", Arn(region, name));
        json.WriteString("DataType", "text");
        json.WriteEndObject();
    }
}
