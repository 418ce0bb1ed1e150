using System.Globalization;
using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>A version of a database engine on offer.</summary>
/// <param name="Version">E.g. <c>17.4</c>.</param>
/// <param name="LeastCapacity">Least ACU of Serverless v2; 0: it can pause; null: not told.</param>
public sealed record EngineVersion(string Version, double? LeastCapacity);

/// <summary>Which versions of an engine does RDS offer here? DescribeDBEngineVersions.</summary>
public static class ReadEngineVersions
{
    /// <summary>Versions on offer, newest last as RDS orders them; all pages.</summary>
    public static async Task<IReadOnlyList<EngineVersion>> ListAsync(AwsAccess access, string engine, CancellationToken cancellationToken)
    {
        var versions = new List<EngineVersion>();
        string? marker = null;
        do
        {
            KeyValuePair<string, string>[] form = marker is null ? [new("Engine", engine)] : [new("Engine", engine), new("Marker", marker)];
            var answer = await access.AskAsync(AwsService.Rds, "DescribeDBEngineVersions", stop => access.Rds.QueryAsync("DescribeDBEngineVersions", form, stop), cancellationToken).ConfigureAwait(false);
            versions.AddRange(answer.Children("DBEngineVersions", "DBEngineVersion").Select(Version));
            var next = answer.Text("Marker");
            marker = next == marker ? null : next;
        }
        while (marker is not null);
        return versions;
    }

    private static EngineVersion Version(XElement version) => new(version.Text("EngineVersion") ?? "",
        double.TryParse(version.Child("ServerlessV2FeaturesSupport").Text("MinCapacity"), CultureInfo.InvariantCulture, out var least) ? least : null);
}
