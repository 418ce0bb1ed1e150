namespace Fumidai.Lab;

internal static partial class Seed
{
    public static void Identities(LabModel model)
    {
        foreach (var (account, name, key) in ((string, string, string)[])[(LabAccounts.Main, "alice", "AKIALABMAIN00000000A"), (LabAccounts.Other, "bob", "AKIALABOTHER0000000B")])
        {
            model.Users[$"{account}/{name}"] = new User
            {
                Id = $"AIDALAB{account}AB",
                Account = account,
                Region = "",
                Name = name,
                AccessKeyId = key,
                SecretAccessKey = $"lab/{account}/opens/nothing/but/the/lab",
            };
        }
    }

    public static IReadOnlyList<(DbCluster Cluster, string Password)> Architecture(LabModel model, DateTimeOffset now) => [];
}
