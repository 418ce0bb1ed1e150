namespace Fumidai.Lab;

/// <summary>
/// The engine versions on offer. Auto-pause (a minimum of 0 ACU) came with 15.7 and 16.3 (aws-facts §4.2); the older ones here start at 0.5.
/// Lab only: a short list; AWS's is long and changes.
/// </summary>
internal static class EngineVersions
{
    public const string Engine = "aurora-postgresql";

    private static readonly (string Version, double Least)[] s_versions = [("15.4", 0.5), ("15.10", 0), ("15.12", 0), ("16.8", 0), ("17.4", 0)];

    /// <summary>The version meant by a full or a major number; null means the newest of the oldest major, as a deliberate default.</summary>
    /// <exception cref="AwsError">InvalidParameterCombination with AWS's text.</exception>
    public static string Resolve(string? asked) => s_versions.Select(v => v.Version).LastOrDefault(v => asked is null ? v.StartsWith("15.", StringComparison.Ordinal) : v == asked || v.StartsWith(asked + ".", StringComparison.Ordinal))
        ?? throw new AwsError("InvalidParameterCombination", $"Cannot find version {asked} for {Engine}");

    public static double LeastCapacity(string version) => s_versions.First(v => v.Version == version).Least;

    public static AwsAnswer Describe(QueryForm form)
    {
        var engine = form.Text("Engine");
        var version = form.Text("EngineVersion");
        var family = form.Text("DBParameterGroupFamily");
        var chosen = s_versions.Where(v => engine is null or Engine)
            .Where(v => version is null || v.Version == version || v.Version.StartsWith(version + ".", StringComparison.Ordinal))
            .Where(v => family is null || family == FamilyOf(v.Version)).ToList();
        var limit = form.Number("MaxRecords");
        if (limit is < 20 or > 100)
            throw new AwsError("InvalidParameterValue", $"Invalid value {limit} for MaxRecords. Must be between 20 and 100");
        if (form.Flag("DefaultOnly") == true)
            chosen = [.. chosen.Where(v => v.Version == Resolve(null))];
        return RdsList.Set("DBEngineVersions", "DBEngineVersion", Paging.Cut(chosen, form.Text("Marker"), limit ?? 100, () => new AwsError("InvalidParameterValue", "The request marker is invalid")), (x, v) => x
            .Element("Engine", Engine).Element("MajorEngineVersion", v.Version.Split('.')[0]).Element("EngineVersion", v.Version).Element("DBParameterGroupFamily", FamilyOf(v.Version))
            .Element("DBEngineDescription", "Aurora (PostgreSQL)").Element("DBEngineVersionDescription", $"Aurora PostgreSQL (compatible with PostgreSQL {v.Version})").Element("Status", "available")
            .Texts("SupportedEngineModes", "member", ["provisioned"]).Texts("SupportedCACertificateIdentifiers", "member", ["rds-ca-rsa2048-g1"])
            .Group("ServerlessV2FeaturesSupport", s => s.Element("MinCapacity", v.Least).Element("MaxCapacity", 256.0)));
    }

    private static string FamilyOf(string version) => $"{Engine}{version.Split('.')[0]}";
}
