using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>Whether a call's cluster takes calls at all, and with which login.</summary>
internal static class DataApiCluster
{
    /// <exception cref="AwsError">Not there, switched off, stopped, without a writer.</exception>
    public static DbCluster Find(LabContext context, AwsCall call, string arn) => context.Model.Read(m =>
    {
        var cluster = m.DbClusters.Values.FirstOrDefault(c => c.Account == call.Caller.Account && c.Region == call.Region && MasterSecret.ArnOf(c) == arn)
            ?? throw new AwsError("DatabaseNotFoundException", $"DB cluster {arn} is not found", 404);
        if (!cluster.HttpEndpoint)
            throw new AwsError("HttpEndpointNotEnabledException", $"HttpEndpoint is not enabled for resource {arn}");
        if (!m.DbInstances.Values.Any(i => i.ClusterId == cluster.Id && i.IsWriter))
            throw new AwsError("DatabaseNotFoundException", "The DB cluster doesn't have a DB instance.", 404);
        if (cluster.Status is "stopped" or "stopping" or "starting" or "creating" or "deleting")
            throw new AwsError("InvalidResourceStateException", $"The DB cluster is in the state {cluster.Status}.");
        return cluster;
    });

    /// <exception cref="AwsError">No such secret, or one that holds no login.</exception>
    public static (string User, string Password) Login(LabContext context, AwsCall call, string arn)
    {
        var text = context.Model.Read(m => m.Secrets.Values.FirstOrDefault(s => s.Account == call.Caller.Account && s.Region == call.Region && s.Arn == arn)?.SecretString)
            ?? throw new AwsError("BadRequestException", "Secrets Manager can't find the specified secret.");
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("username", out var user) && json.RootElement.TryGetProperty("password", out var password)
                && user.GetString() is { } name && password.GetString() is { } word)
                return (name, word);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not a login.
        }
        throw new AwsError("InvalidSecretException", "The Secrets Manager secret used with the request isn't valid.");
    }

    /// <summary>A paused cluster refuses and begins to wake (aws-facts §4.2). Lab only: it takes a second of the lab's clock.</summary>
    public static void Wake(LabContext context, DbCluster cluster)
    {
        var (isPaused, isFirst) = context.Model.Read(_ =>
        {
            var first = cluster is { IsPaused: true, IsResuming: false };
            cluster.IsResuming |= first;
            return (cluster.IsPaused, first);
        });
        if (!isPaused)
            return;
        if (isFirst)
            context.Transitions.Start("Resume", () => context.Model.Change(_ => cluster.IsPaused = cluster.IsResuming = false));
        throw new AwsError("DatabaseResumingException", $"The Aurora DB instance {cluster.Id} is resuming after being auto-paused. Please wait a few seconds and try again.");
    }
}
