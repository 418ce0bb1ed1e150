using System.Globalization;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>The one document an account may make here: its Session Manager preferences of a region (aws-facts §2.4).</summary>
internal static class PreferencesDocument
{
    public static string? Content(LabModel model, AwsCall call, string name) =>
        name == SessionDocuments.DefaultShell ? model.Read(m => m.SessionPreferences.TryGetValue(Key(call), out var known) ? known.Content : null) : null;

    public static AwsAnswer Create(LabModel model, AwsCall call, JsonBody body)
    {
        var content = Checked(body);
        return Written(model.Change(m => m.SessionPreferences.TryAdd(Key(call), (content, 1)) ? 1 : throw new AwsError("DocumentAlreadyExists", $"Document with name {SessionDocuments.DefaultShell} already exists.")));
    }

    public static AwsAnswer Update(LabModel model, AwsCall call, JsonBody body)
    {
        var content = Checked(body);
        return Written(model.Change(m =>
        {
            var version = Known(m, call) + 1;
            m.SessionPreferences[Key(call)] = (content, version);
            return version;
        }));
    }

    public static AwsAnswer Delete(LabModel model, AwsCall call, JsonBody body)
    {
        Demand(body.Required("Name"));
        model.Change(m => Known(m, call) > 0 && m.SessionPreferences.Remove(Key(call)));
        return JsonBody.Write(static _ => { });
    }

    private static int Known(LabModel m, AwsCall call) =>
        m.SessionPreferences.TryGetValue(Key(call), out var known) ? known.Version : throw new AwsError("InvalidDocument", $"Document with name {SessionDocuments.DefaultShell} does not exist.");

    private static string Key(AwsCall call) => $"{call.Caller.Account}/{call.Region}";

    private static void Demand(string name)
    {
        if (name != SessionDocuments.DefaultShell)
            throw new AwsError("ValidationException", $"Only {SessionDocuments.DefaultShell} is modelled by this lab.");
    }

    private static string Checked(JsonBody body)
    {
        Demand(body.Required("Name"));
        var content = body.Required("Content");
        try
        {
            using var json = JsonDocument.Parse(content);
            if (json.RootElement.TryGetProperty("sessionType", out var type) && type.ValueEquals("Standard_Stream") && json.RootElement.TryGetProperty("inputs", out _))
                return content;
        }
        catch (JsonException)
        {
            // Refused below.
        }
        throw new AwsError("InvalidDocumentContent", "The content for the document is not valid.");
    }

    private static AwsAnswer Written(int version) => JsonBody.Write(json =>
    {
        json.WriteStartObject("DocumentDescription");
        json.WriteString("Name", SessionDocuments.DefaultShell);
        json.WriteString("DocumentVersion", version.ToString(CultureInfo.InvariantCulture));
        json.WriteString("LatestVersion", version.ToString(CultureInfo.InvariantCulture));
        json.WriteString("DefaultVersion", "1");
        json.WriteString("Status", "Active");
        json.WriteString("DocumentType", "Session");
        json.WriteString("DocumentFormat", "JSON");
        json.WriteEndObject();
    });
}
