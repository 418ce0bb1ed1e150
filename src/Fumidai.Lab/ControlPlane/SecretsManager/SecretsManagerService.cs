using System.Text.Json;

namespace Fumidai.Lab;

/// <summary>Secrets Manager (aws-facts §1.5, §3.1). Secrets are known by ARN, by the ARN without its six last characters, or by name.</summary>
internal sealed class SecretsManagerService(LabContext context) : IAwsService
{
    private const string Current = "AWSCURRENT";
    private const string Previous = "AWSPREVIOUS";

    public string SigningName => "secretsmanager";
    public AwsProtocol Protocol => AwsProtocol.Json11;
    public string TargetPrefixOrVersion => "secretsmanager";

    public ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var body = new JsonBody(call.Json!.Value);
        return ValueTask.FromResult<AwsAnswer>(call.Operation switch
        {
            "GetSecretValue" => GetSecretValue(call, body),
            "DescribeSecret" => JsonBody.Write(w => Describe(w, Find(call, body.Required("SecretId")), withVersions: true)),
            "ListSecrets" => ListSecrets(call, body),
            "CreateSecret" => CreateSecret(call, body),
            "DeleteSecret" => DeleteSecret(call, body),
            "RestoreSecret" => RestoreSecret(call, body),
            "PutSecretValue" => PutSecretValue(call, body),
            _ => throw ApiDispatch.UnknownOperation(this, call),
        });
    }

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call)
    {
        if (new JsonBody(call.Json!.Value).Text(call.Operation == "CreateSecret" ? "Name" : "SecretId") is not { } id)
            return PolicyResource.Any;
        // An unknown secret is judged by the ARN it would have, so that a policy cannot be asked which secrets exist.
        return [new PolicyResource(context.Model.Read(m => Lookup(m, call, id)?.Arn) ?? (id.StartsWith("arn:", StringComparison.Ordinal) ? id : $"arn:aws:secretsmanager:{call.Region}:{call.Caller.Account}:secret:{id}"))];
    }

    private static SecretEntry? Lookup(LabModel model, AwsCall call, string id) => model.Secrets.Values.FirstOrDefault(s =>
        s.Account == call.Caller.Account && s.Region == call.Region && (s.Arn == id || s.Name == id || s.Arn[..^7] == id));

    private SecretEntry Find(AwsCall call, string id) => context.Model.Read(m => Lookup(m, call, id))
        ?? throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");

    private AwsAnswer.Json GetSecretValue(AwsCall call, JsonBody body)
    {
        var secret = Find(call, body.Required("SecretId"));
        DemandLiving(secret);
        var version = body.Text("VersionId");
        var stage = body.Text("VersionStage");
        var (id, text, isCurrent) = context.Model.Read(_ => version is null ? stage is null or Current : version == secret.VersionId)
            ? (secret.VersionId, secret.SecretString, true)
            : (secret.PreviousVersionId, secret.PreviousSecretString, false);
        var isAsked = isCurrent || (id is not null && (version is null ? stage == Previous : version == id));
        if (!isAsked || text is null)
            throw new AwsError("ResourceNotFoundException", version is null
                ? $"Secrets Manager can't find the specified secret value for staging label: {stage}"
                : $"Secrets Manager can't find the specified secret value for VersionId: {version}");
        return JsonBody.Write(w =>
        {
            w.WriteString("ARN", secret.Arn);
            w.WriteNumber("CreatedDate", JsonBody.Epoch(secret.ChangedAt));
            w.WriteString("Name", secret.Name);
            w.WriteString("SecretString", text);
            w.WriteString("VersionId", id);
            w.WriteStartArray("VersionStages");
            w.WriteStringValue(isCurrent ? Current : Previous);
            w.WriteEndArray();
        });
    }

    private AwsAnswer.Json ListSecrets(AwsCall call, JsonBody body)
    {
        var limit = body.Number("MaxResults");
        if (limit is < 1 or > 100)
            throw new AwsError("InvalidParameterException", "MaxResults must be between 1 and 100.");
        var filters = body.Structures("Filters").Select(f => new Filter(f.Required("Key"), f.Texts("Values"))).ToList();
        var all = context.Model.Read(m => m.Secrets.Values.Where(s => s.Account == call.Caller.Account && s.Region == call.Region && s.DeletedAt is null && filters.All(f => Holds(s, f))).ToList());
        var (page, next) = Paging.Cut(all, body.Text("NextToken"), limit ?? 100, () => new AwsError("InvalidNextTokenException", "The NextToken value is invalid."));
        return JsonBody.Write(w =>
        {
            w.WriteStartArray("SecretList");
            foreach (var secret in page)
            {
                w.WriteStartObject();
                Describe(w, secret, withVersions: false);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            if (next is not null)
                w.WriteString("NextToken", next);
        });
    }

    private static bool Holds(SecretEntry secret, Filter filter)
    {
        bool Begins(string? text) => text is not null && filter.Values.Any(v => v.StartsWith('!') ? !text.StartsWith(v[1..], StringComparison.Ordinal) : text.StartsWith(v, StringComparison.Ordinal));
        return filter.Name switch
        {
            "name" => Begins(secret.Name),
            "description" => Begins(secret.Description),
            "owning-service" => Begins(secret.OwningService),
            "tag-key" => secret.Tags.Keys.Any(Begins),
            "tag-value" => secret.Tags.Values.Any(Begins),
            "all" => Begins(secret.Name) || Begins(secret.Description) || secret.Tags.Any(t => Begins(t.Key) || Begins(t.Value)),
            _ => throw new AwsError("ValidationException", $"1 validation error detected: Value '{filter.Name}' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: [all, name, tag-key, description, tag-value, owning-service]"),
        };
    }

    private AwsAnswer.Json CreateSecret(AwsCall call, JsonBody body)
    {
        var name = body.Required("Name");
        var text = body.Required("SecretString");
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || "/_+=.@-!".Contains(c)))
            throw new AwsError("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!");
        var now = context.Time.GetUtcNow();
        var secret = context.Model.Change(m =>
        {
            if (Lookup(m, call, name) is not null)
                throw new AwsError("ResourceExistsException", $"The operation failed because the secret {name} already exists.");
            var made = new SecretEntry
            {
                Id = name,
                Account = call.Caller.Account,
                Region = call.Region,
                Name = name,
                Arn = $"arn:aws:secretsmanager:{call.Region}:{call.Caller.Account}:secret:{name}-{Ids.SecretSuffix()}",
                Description = body.Text("Description"),
                VersionId = body.Text("ClientRequestToken") ?? Guid.NewGuid().ToString(),
                SecretString = text,
                CreatedAt = now,
                ChangedAt = now,
            };
            foreach (var tag in body.Structures("Tags"))
                made.Tags[tag.Required("Key")] = tag.Text("Value") ?? "";
            return m.Secrets[made.Arn] = made;
        });
        return Changed(secret, withStages: false);
    }

    /// <summary>Marks it for deletion, or deletes it at once. Lab only: a secret of RDS's own may be deleted too, so that its loss can be tried.</summary>
    private AwsAnswer.Json DeleteSecret(AwsCall call, JsonBody body)
    {
        var secret = Find(call, body.Required("SecretId"));
        DemandLiving(secret);
        var isForced = body.Flag("ForceDeleteWithoutRecovery") == true;
        var days = body.Number("RecoveryWindowInDays");
        if (days is < 7 or > 30 || (isForced && days is not null))
            throw new AwsError("InvalidParameterException", "RecoveryWindowInDays must be between 7 and 30, and not be given with ForceDeleteWithoutRecovery.");
        var now = context.Time.GetUtcNow();
        context.Model.Change(m => isForced ? m.Secrets.Remove(secret.Arn) : (secret.DeletedAt = now) is not null);
        return JsonBody.Write(w =>
        {
            w.WriteString("ARN", secret.Arn);
            w.WriteString("Name", secret.Name);
            w.WriteNumber("DeletionDate", JsonBody.Epoch(now.AddDays(isForced ? 0 : days ?? 30)));
        });
    }

    private AwsAnswer.Json RestoreSecret(AwsCall call, JsonBody body)
    {
        var secret = Find(call, body.Required("SecretId"));
        context.Model.Change(_ => secret.DeletedAt = null);
        return JsonBody.Write(w =>
        {
            w.WriteString("ARN", secret.Arn);
            w.WriteString("Name", secret.Name);
        });
    }

    private static void DemandLiving(SecretEntry secret)
    {
        if (secret.DeletedAt is not null)
            throw new AwsError("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.");
    }

    private AwsAnswer.Json PutSecretValue(AwsCall call, JsonBody body)
    {
        var secret = Find(call, body.Required("SecretId"));
        var text = body.Required("SecretString");
        DemandLiving(secret);
        if (secret.OwningService is not null)
            throw new AwsError("InvalidRequestException", $"You can't modify this secret because it is managed by {secret.OwningService}.");
        if (body.Texts("VersionStages") is { Count: > 0 } stages && !stages.SequenceEqual([Current]))
            throw new AwsError("InvalidParameterException", "Only the stage AWSCURRENT is modelled by this lab.");
        context.Model.Change(_ =>
        {
            secret.PreviousVersionId = secret.VersionId;
            secret.PreviousSecretString = secret.SecretString;
            secret.VersionId = body.Text("ClientRequestToken") ?? Guid.NewGuid().ToString();
            secret.ChangedAt = context.Time.GetUtcNow();
            return secret.SecretString = text;
        });
        return Changed(secret, withStages: true);
    }

    private static AwsAnswer.Json Changed(SecretEntry secret, bool withStages) => JsonBody.Write(w =>
    {
        w.WriteString("ARN", secret.Arn);
        w.WriteString("Name", secret.Name);
        w.WriteString("VersionId", secret.VersionId);
        if (!withStages)
            return;
        w.WriteStartArray("VersionStages");
        w.WriteStringValue(Current);
        w.WriteEndArray();
    });

    private static void Describe(Utf8JsonWriter w, SecretEntry secret, bool withVersions)
    {
        w.WriteString("ARN", secret.Arn);
        w.WriteString("Name", secret.Name);
        if (secret.Description is not null)
            w.WriteString("Description", secret.Description);
        w.WriteNumber("CreatedDate", JsonBody.Epoch(secret.CreatedAt));
        w.WriteNumber("LastChangedDate", JsonBody.Epoch(secret.ChangedAt));
        if (secret.DeletedAt is { } deleted)
            w.WriteNumber("DeletedDate", JsonBody.Epoch(deleted));
        if (secret.OwningService is not null)
        {
            w.WriteString("OwningService", secret.OwningService);
            // RDS rotates what it manages every seven days (aws-facts §3.1).
            w.WriteBoolean("RotationEnabled", true);
            w.WriteStartObject("RotationRules");
            w.WriteNumber("AutomaticallyAfterDays", 7);
            w.WriteEndObject();
        }
        w.WriteStartArray("Tags");
        foreach (var (key, value) in secret.Tags)
        {
            w.WriteStartObject();
            w.WriteString("Key", key);
            w.WriteString("Value", value);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteStartObject(withVersions ? "VersionIdsToStages" : "SecretVersionsToStages");
        foreach (var (id, stage) in ((string?, string)[])[(secret.VersionId, Current), (secret.PreviousVersionId, Previous)])
        {
            if (id is null)
                continue;
            w.WriteStartArray(id);
            w.WriteStringValue(stage);
            w.WriteEndArray();
        }
        w.WriteEndObject();
    }
}
