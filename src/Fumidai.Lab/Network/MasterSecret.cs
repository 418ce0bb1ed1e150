using System.Text;
using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>The secret in which RDS keeps a cluster's master password: <c>rds!cluster-UUID</c>, JSON with username and password only (aws-facts §3.1).</summary>
internal static class MasterSecret
{
    /// <summary>Makes it with a fresh password and adds it to the model.</summary>
    public static SecretEntry Create(LabModel model, DbCluster cluster, DateTimeOffset now, out string password)
    {
        password = Ids.Password();
        var name = $"rds!cluster-{Guid.NewGuid()}";
        var secret = new SecretEntry
        {
            Id = name,
            Account = cluster.Account,
            Region = cluster.Region,
            Arn = $"arn:aws:secretsmanager:{cluster.Region}:{cluster.Account}:secret:{name}-{Ids.SecretSuffix()}",
            Name = name,
            Description = $"Secret associated with primary RDS DB cluster: {ArnOf(cluster)}",
            VersionId = Guid.NewGuid().ToString(),
            SecretString = Text(cluster.MasterUsername, password),
            OwningService = "rds",
            CreatedAt = now,
            ChangedAt = now,
        };
        secret.Tags["aws:rds:primaryDBClusterArn"] = ArnOf(cluster);
        secret.Tags["aws:secretsmanager:owningService"] = "rds";
        model.Secrets[secret.Arn] = secret;
        return secret;
    }

    /// <summary>Puts a new password in, as a rotation does: AWSCURRENT moves, the old one becomes AWSPREVIOUS.</summary>
    public static void Put(SecretEntry secret, string username, string password, DateTimeOffset now)
    {
        secret.PreviousVersionId = secret.VersionId;
        secret.PreviousSecretString = secret.SecretString;
        secret.VersionId = Guid.NewGuid().ToString();
        secret.SecretString = Text(username, password);
        secret.ChangedAt = now;
    }

    public static string ArnOf(DbCluster cluster) => $"arn:aws:rds:{cluster.Region}:{cluster.Account}:cluster:{cluster.Id}";

    private static string Text(string username, string password)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("username", username);
            writer.WriteString("password", password);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
