using System.Text.Json;

namespace Fumidai.Aws;

/// <summary>How a statement is run.</summary>
public sealed record ExecuteOptions
{
    /// <summary>The transaction; null: its own.</summary>
    public string? TransactionId { get; init; }
    /// <summary>Whether columns are told.</summary>
    public bool WithColumns { get; init; }
    /// <summary>Whether it goes on when the answer is cut off after 45 seconds: for DDL.</summary>
    public bool ContinueAfterTimeout { get; init; }
}

/// <summary>ExecuteStatement (aws-facts §1.6). Sent once: what happens twice is the caller's decision.</summary>
public static class ExecuteStatement
{
    /// <summary>Runs one statement.</summary>
    /// <param name="access">Account and region.</param>
    /// <param name="address">Cluster, secret, database.</param>
    /// <param name="sql">One statement, 65,536 characters at most.</param>
    /// <param name="parameters">Its <c>:name</c> parameters.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Stops waiting; the statement may go on.</param>
    /// <exception cref="DataApiFailure">Whatever went wrong.</exception>
    public static async Task<DataApiResult> RunAsync(AwsAccess access, DataApiAddress address, string sql, IReadOnlyList<DataApiParameter> parameters, ExecuteOptions options, CancellationToken cancellationToken) =>
        new(await DataApiCall.AskAsync(access, "ExecuteStatement", "/Execute", json =>
        {
            DataApiCall.Write(json, address, options.TransactionId);
            json.WriteString("sql", sql);
            if (options.WithColumns)
                json.WriteBoolean("includeResultMetadata", true);
            if (options.ContinueAfterTimeout)
                json.WriteBoolean("continueAfterTimeout", true);
            if (parameters.Count > 0)
                DataApiCall.Write(json, "parameters", parameters);
        }, cancellationToken).ConfigureAwait(false));
}

/// <summary>BatchExecuteStatement: one statement for many sets of parameters.</summary>
public static class BatchExecuteStatement
{
    /// <summary>Runs it.</summary>
    /// <exception cref="DataApiFailure">Whatever went wrong; without a transaction some of the sets may have been carried out.</exception>
    public static async Task RunAsync(AwsAccess access, DataApiAddress address, string sql, IReadOnlyList<IReadOnlyList<DataApiParameter>> sets, string? transactionId, CancellationToken cancellationToken)
    {
        using var answer = await DataApiCall.AskAsync(access, "BatchExecuteStatement", "/BatchExecute", json =>
        {
            DataApiCall.Write(json, address, transactionId);
            json.WriteString("sql", sql);
            json.WriteStartArray("parameterSets");
            foreach (var set in sets)
                DataApiCall.Write(json, null, set);
            json.WriteEndArray();
        }, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>BeginTransaction, CommitTransaction, RollbackTransaction.</summary>
public static class DataApiTransactions
{
    /// <summary>Begins one; its id.</summary>
    /// <exception cref="DataApiFailure">Whatever went wrong.</exception>
    public static async Task<string> BeginAsync(AwsAccess access, DataApiAddress address, CancellationToken cancellationToken)
    {
        using var answer = await DataApiCall.AskAsync(access, "BeginTransaction", "/BeginTransaction", json => DataApiCall.Write(json, address, null), cancellationToken).ConfigureAwait(false);
        return answer.RootElement.Text("transactionId") ?? throw DataApiFailure.Of(new AwsFailure(AwsFailureKind.Network, "rds-data:BeginTransaction", null, "rds-data:BeginTransaction: an answer without a transactionId"));
    }

    /// <summary>Commits.</summary>
    /// <exception cref="DataApiFailure">Whatever went wrong.</exception>
    public static Task CommitAsync(AwsAccess access, DataApiAddress address, string id, CancellationToken cancellationToken) =>
        EndAsync(access, address, "CommitTransaction", id, cancellationToken);

    /// <summary>Rolls back.</summary>
    /// <exception cref="DataApiFailure">Whatever went wrong.</exception>
    public static Task RollbackAsync(AwsAccess access, DataApiAddress address, string id, CancellationToken cancellationToken) =>
        EndAsync(access, address, "RollbackTransaction", id, cancellationToken);

    private static async Task EndAsync(AwsAccess access, DataApiAddress address, string operation, string id, CancellationToken cancellationToken)
    {
        using var answer = await DataApiCall.AskAsync(access, operation, "/" + operation, json =>
        {
            // These two take no database.
            json.WriteString("resourceArn", address.ResourceArn);
            json.WriteString("secretArn", address.SecretArn);
            json.WriteString("transactionId", id);
        }, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>What the calls share.</summary>
internal static class DataApiCall
{
    public static async Task<JsonDocument> AskAsync(AwsAccess access, string operation, string path, Action<Utf8JsonWriter> members, CancellationToken cancellationToken)
    {
        try
        {
            return await access.AskAsync(AwsService.RdsData, operation, stop => access.RdsData.RestAsync(operation, path, members, stop), cancellationToken).ConfigureAwait(false);
        }
        catch (AwsFailure failure)
        {
            throw DataApiFailure.Of(failure);
        }
    }

    public static void Write(Utf8JsonWriter json, DataApiAddress address, string? transactionId)
    {
        json.WriteString("resourceArn", address.ResourceArn);
        json.WriteString("secretArn", address.SecretArn);
        if (address.Database is not null)
            json.WriteString("database", address.Database);
        if (transactionId is not null)
            json.WriteString("transactionId", transactionId);
    }

    public static void Write(Utf8JsonWriter json, string? name, IReadOnlyList<DataApiParameter> parameters)
    {
        if (name is null)
            json.WriteStartArray();
        else
            json.WriteStartArray(name);
        foreach (var parameter in parameters)
        {
            json.WriteStartObject();
            json.WriteString("name", parameter.Name);
            json.WriteStartObject("value");
            switch (parameter.Text, parameter.Kind)
            {
                case (null, _):
                    json.WriteBoolean("isNull", true);
                    break;
                case ({ } text, DataApiKind.Long):
                    json.WritePropertyName("longValue");
                    json.WriteRawValue(text);
                    break;
                case ({ } text, DataApiKind.Double):
                    json.WritePropertyName("doubleValue");
                    json.WriteRawValue(text);
                    break;
                case ({ } text, DataApiKind.Boolean):
                    json.WriteBoolean("booleanValue", text == "true");
                    break;
                case ({ } text, DataApiKind.Blob):
                    json.WriteString("blobValue", text);
                    break;
                case ({ } text, _):
                    json.WriteString("stringValue", text);
                    break;
            }
            json.WriteEndObject();
            if (parameter.TypeHint is not null)
                json.WriteString("typeHint", parameter.TypeHint);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
