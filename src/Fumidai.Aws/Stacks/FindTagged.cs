using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>Which resources carry this tag? GetResources of the Resource Groups Tagging API.</summary>
/// <remarks>It goes on naming deleted resources for a while, and never names IAM roles: who asks must look again, or elsewhere.</remarks>
public static class FindTagged
{
    /// <summary>ARNs of the region's resources with tag <paramref name="key"/> = <paramref name="value"/>, all pages.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(AwsAccess access, string key, string value, CancellationToken cancellationToken)
    {
        var arns = new List<string>();
        string? token = null;
        do
        {
            var page = token;
            using var answer = await access.AskAsync(AwsService.Tagging, "GetResources", stop => access.Tagging.JsonAsync("GetResources", members => Write(members, key, value, page), stop), cancellationToken).ConfigureAwait(false);
            if (answer.RootElement.TryGetProperty("ResourceTagMappingList", out var list) && list.ValueKind == JsonValueKind.Array)
                arns.AddRange(list.EnumerateArray().Select(r => r.Text("ResourceARN")).OfType<string>());
            var next = answer.RootElement.Text("PaginationToken");
            token = next == token ? null : next;
        }
        while (token is not null);
        return arns;
    }

    private static void Write(Utf8JsonWriter members, string key, string value, string? token)
    {
        members.WriteStartArray("TagFilters");
        members.WriteStartObject();
        members.WriteString("Key", key);
        members.WriteStartArray("Values");
        members.WriteStringValue(value);
        members.WriteEndArray();
        members.WriteEndObject();
        members.WriteEndArray();
        if (token is not null)
            members.WriteString("PaginationToken", token);
    }
}
