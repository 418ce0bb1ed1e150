namespace Fumidai;

/// <summary>Secret and session preferences (rows 43, 44, 48–51; §2.4).</summary>
internal static class SignInRules
{
    internal static readonly Rule[] All =
    [
        new("iam-auth-off", Hop.SignIn, v => v.Settings.Auth == "iam" && v is { Database: { } d, Topology.State.HasIamAuthentication: false }
            ? new("iam-auth-off", Hop.SignIn, "the database takes no IAM tokens", $"IAMDatabaseAuthenticationEnabled is false for {d.Id}", Fixes.Sentence($"aws rds modify-db-{Kind(d)} --db-{Kind(d)}-identifier {d.Id} --enable-iam-database-authentication --apply-immediately"), Reason.SignIn) : null),
        new("may-not-sign-in-with-iam", Hop.SignIn, v => v.Settings.Auth == "iam" && v.Topology.CallerActions.TryGetValue("rds-db:connect", out var isAllowed) && !isAllowed
            ? new("may-not-sign-in-with-iam", Hop.SignIn, "you may not sign in with an IAM token", $"iam:SimulatePrincipalPolicy denies rds-db:connect on {v.Database?.ResourceId} to {v.Topology.Caller?.Arn}", Fixes.Sentence("fumidai policy --for connect prints a policy that allows it"), Reason.AwsAccess) : null),
        new("secret-missing", Hop.SignIn, v => v.Topology.Unread.TryGetValue(TopologyQuestions.Secret, out var why) && why.Contains("ResourceNotFound", StringComparison.Ordinal)
            ? new("secret-missing", Hop.SignIn, "the secret with the login does not exist", $"{v.Settings.Secret ?? v.Database?.MasterSecretArn}: {why}", Fixes.Sentence("name another with --secret, or a login with --user"), Reason.SignIn) : null),
        new("secret-deleted", Hop.SignIn, v => v.Topology.Secret is { DeletedOn: not null }
            ? new("secret-deleted", Hop.SignIn, "the secret with the login is marked for deletion", v.Settings.Secret ?? v.Database?.MasterSecretArn ?? "", Fixes.Sentence($"aws secretsmanager restore-secret --secret-id {v.Settings.Secret ?? v.Database?.MasterSecretArn}"), Reason.SignIn) : null),
        new("may-not-read-secret", Hop.SignIn, v => v.Topology.CallerActions.TryGetValue("secretsmanager:GetSecretValue", out var isAllowed) && !isAllowed
            ? new("may-not-read-secret", Hop.SignIn, "you may not read the secret with the login", $"iam:SimulatePrincipalPolicy denies secretsmanager:GetSecretValue to {v.Topology.Caller?.Arn}", Fixes.Sentence("fumidai policy --for connect prints a policy that allows it"), Reason.AwsAccess) : null),
        new("secret-impaired", Hop.SignIn, v => v.Topology.State?.SecretStatus == "impaired"
            ? new("secret-impaired", Hop.SignIn, "the secret cannot be rotated", $"{v.Database?.Id}: SecretStatus impaired; it can still be read", Fixes.Sentence($"aws rds modify-db-cluster --db-cluster-identifier {v.Database?.Id} --rotate-master-user-password --apply-immediately"), Reason.SignIn) { IsNote = true } : null),
        new("secret-rotating", Hop.SignIn, v => v.Topology.State?.SecretStatus == "rotating"
            ? new("secret-rotating", Hop.SignIn, "the password is being rotated", $"{v.Database?.Id}: SecretStatus rotating", Fixes.Sentence("nothing: sign in again in a moment if the password is refused"), Reason.SignIn) { IsNote = true } : null),
        new("kms-unreachable", Hop.Way, v => v.IsSsm && v.Topology.Preferences?.KmsKeyId is { } key && v.Bastion is { } b && v.Topology.NoWayOut(b) is not null && !v.Topology.Endpoints.Any(e => e.Service == "kms")
            ? new("kms-unreachable", Hop.Way, "sessions are encrypted with a KMS key that the bastion cannot reach", $"the session preferences name {key}, and {v.Topology.Vpc?.Id} has no endpoint for kms", Fixes.Sentence(Fixes.CreateEndpoint(v, "kms"))) : null),
        new("logs-unreachable", Hop.Way, v => v.IsSsm && v.Topology.Preferences is { } p && v.Bastion is { } b && v.Topology.NoWayOut(b) is not null
            && ((p.S3Bucket is not null && !v.Topology.Endpoints.Any(e => e.Service == "s3")) || (p.LogGroup is not null && !v.Topology.Endpoints.Any(e => e.Service == "logs")))
            ? new("logs-unreachable", Hop.Way, "shells are logged to a place that the bastion cannot reach", $"the session preferences log to {p.S3Bucket ?? p.LogGroup}, without an endpoint for {(p.S3Bucket is not null && !v.Topology.Endpoints.Any(e => e.Service == "s3") ? "s3" : "logs")}; tunnels are not logged and work, shells hang", Fixes.Sentence("add the endpoint, or take the logging out of SSM-SessionManagerRunShell")) { IsNote = true } : null),
        new("sessions-end-early", Hop.Way, v => v.IsSsm && v.Topology.Preferences is { } p && (p.MaxMinutes is not null || p.IdleMinutes is < 20)
            ? new("sessions-end-early", Hop.Way, "sessions end by the region's preferences", $"{(p.IdleMinutes is { } idle ? $"after {idle} silent minutes" : "")}{(p is { IdleMinutes: not null, MaxMinutes: not null } ? ", and " : "")}{(p.MaxMinutes is { } max ? $"after {max} minutes in any case" : "")}; tunnels are reopened by themselves", Fixes.Sentence("raise idleSessionTimeout or maxSessionDuration in SSM-SessionManagerRunShell")) { IsNote = true } : null),
    ];

    private static string Kind(Aws.Database database) => database.Kind == Aws.DatabaseKind.Cluster ? "cluster" : "instance";
}
