using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>GetDocument for AWS's own session documents. An account without preferences has no SSM-SessionManagerRunShell (aws-facts §2.4).</summary>
internal static class PublicDocuments
{
    public static string Arn(string region, string name) => $"arn:aws:ssm:{region}::document/{name}";

    public static AwsAnswer Get(LabModel model, AwsCall call, JsonBody body)
    {
        var name = body.Required("Name");
        if (name.StartsWith("arn:", StringComparison.Ordinal))
            name = name[(name.LastIndexOf('/') + 1)..];
        var content = PreferencesDocument.Content(model, call, name) ?? SessionDocuments.Content(name) ?? throw new AwsError("InvalidDocument", $"Document with name {name} does not exist.");
        if (PreferencesDocument.Content(model, call, name) is null && body.Text("DocumentVersion") is not (null or "1" or "$LATEST" or "$DEFAULT"))
            throw new AwsError("InvalidDocumentVersion", "The document version is not valid or does not exist.");
        using var parsed = JsonDocument.Parse(content);
        return JsonBody.Write(json =>
        {
            json.WriteString("Name", name);
            json.WriteString("DocumentVersion", "1");
            json.WriteString("Status", "Active");
            json.WriteString("Content", content);
            json.WriteString("DocumentType", "Session");
            json.WriteString("DocumentFormat", "JSON");
        });
    }
}
