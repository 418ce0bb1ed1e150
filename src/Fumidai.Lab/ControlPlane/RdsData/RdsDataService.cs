using System.Net;
using System.Text.Json;
using Fumidai.Postgres;

namespace Fumidai.Lab;

/// <summary>The Data API in front of the lab's real servers, with AWS's limits and refusals (aws-facts §1.6, §4.1).</summary>
internal sealed class RdsDataService(LabContext context, Func<string, IPEndPoint?> serverOf) : IAwsService, IAsyncDisposable
{
    /// <summary>Characters of <c>sql</c>.</summary>
    public const int LongestSql = 65_536;

    /// <summary>How long a call may take.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(45);

    private readonly DataApiConnections _connections = new(context, serverOf);

    public string SigningName => "rds-data";
    public AwsProtocol Protocol => AwsProtocol.RestJson;
    public string TargetPrefixOrVersion => "2018-08-01";

    /// <summary>For tests of this project.</summary>
    internal int OpenTransactions => _connections.OpenTransactions;

    public string? OperationAt(string method, string path) => (method, path) switch
    {
        ("POST", "/Execute") => "ExecuteStatement",
        ("POST", "/BatchExecute") => "BatchExecuteStatement",
        ("POST", "/BeginTransaction") => "BeginTransaction",
        ("POST", "/CommitTransaction") => "CommitTransaction",
        ("POST", "/RollbackTransaction") => "RollbackTransaction",
        _ => null,
    };

    public IReadOnlyList<PolicyResource> ResourcesOf(AwsCall call) => [new(new JsonBody(call.Json!.Value).Text("resourceArn") ?? "*")];

    public IReadOnlyList<(string Action, PolicyResource Resource)> AlsoDemanded(AwsCall call) =>
        new JsonBody(call.Json!.Value).Text("secretArn") is { } secret ? [("secretsmanager:GetSecretValue", new PolicyResource(secret))] : [];

    public async ValueTask<AwsAnswer> AnswerAsync(AwsCall call, CancellationToken cancellationToken)
    {
        var json = call.Json!.Value;
        var body = new JsonBody(json);
        var cluster = DataApiCluster.Find(context, call, body.Required("resourceArn"));
        var (user, password) = DataApiCluster.Login(context, call, body.Required("secretArn"));
        if (!string.IsNullOrEmpty(body.Text("schema")))
            throw new AwsError("ValidationException", "The schema parameter isn't supported.");
        DataApiCluster.Wake(context, cluster);
        var login = new DataApiLogin(cluster.Id, user, password, body.Text("database") is { Length: > 0 } database ? database : cluster.DatabaseName ?? "postgres");
        try
        {
            return call.Operation switch
            {
                "BeginTransaction" => Members(("transactionId", await _connections.BeginAsync(login, cancellationToken).ConfigureAwait(false))),
                "CommitTransaction" => await EndAsync(cluster, body, "COMMIT", cancellationToken).ConfigureAwait(false),
                "RollbackTransaction" => await EndAsync(cluster, body, "ROLLBACK", cancellationToken).ConfigureAwait(false),
                "ExecuteStatement" => await ExecuteAsync(login, body, json, cancellationToken).ConfigureAwait(false),
                "BatchExecuteStatement" => await BatchAsync(login, body, json, cancellationToken).ConfigureAwait(false),
                _ => throw ApiDispatch.UnknownOperation(this, call),
            };
        }
        catch (SqlErrorException error)
        {
            throw DataApiFailures.Of(error);
        }
        catch (Exception error) when (error is PostgresProtocolException or IOException)
        {
            throw new AwsError("DatabaseErrorException", "FATAL: the connection to the database was lost; SQLState: 08006");
        }
    }

    private async Task<AwsAnswer> EndAsync(DbCluster cluster, JsonBody body, string words, CancellationToken cancellationToken)
    {
        var id = body.Required("transactionId");
        var tag = await _connections.EndAsync(id, _connections.Enter(id, cluster.Id), words, cancellationToken).ConfigureAwait(false);
        // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK. Lab only: that AWS then says so is not known.
        return Members(("transactionStatus", words == "ROLLBACK" || tag == "ROLLBACK" ? "Rollback Complete" : "Transaction Committed"));
    }

    private Task<AwsAnswer> ExecuteAsync(DataApiLogin login, JsonBody body, JsonElement json, CancellationToken cancellationToken)
    {
        var (sql, names) = Statement(body);
        var parameters = DataApiValue.Read(names, Member(json, "parameters"));
        return CallAsync(login, body, Flag(json, "continueAfterTimeout"), async (connection, stop) =>
        {
            var rows = new DataApiRows();
            var tag = await connection.Connection.QueryAsync(sql, parameters, rows, stop).ConfigureAwait(false);
            if (rows.HasTooLargeRow)
                throw new AwsError("BadRequestException", "Database returned a row that is larger than the allowed size limit of 64 KB");
            if (rows.IsTooLarge)
                throw new AwsError("BadRequestException", "Database returned more than the allowed response size limit");
            var types = rows.Columns is null ? null
                : await _connections.TypesOf(login).FindAsync(connection.Connection, rows.Columns.Select(c => c.TypeOid), stop).ConfigureAwait(false);
            return Answer(json, rows, tag, types);
        }, cancellationToken);
    }

    private Task<AwsAnswer> BatchAsync(DataApiLogin login, JsonBody body, JsonElement json, CancellationToken cancellationToken)
    {
        var (sql, names) = Statement(body);
        var sets = Member(json, "parameterSets") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Select(set => DataApiValue.Read(names, set)).ToList() : [];
        if (sets.Count == 0)
            sets.Add(DataApiValue.Read(names, null));
        return CallAsync(login, body, false, async (connection, stop) =>
        {
            foreach (var set in sets)
                await connection.Connection.QueryAsync(sql, set, null, stop).ConfigureAwait(false);
            return JsonBody.Write(w =>
            {
                w.WriteStartArray("updateResults");
                foreach (var _ in sets)
                {
                    w.WriteStartObject();
                    w.WriteStartArray("generatedFields");
                    w.WriteEndArray();
                    w.WriteEndObject();
                }
                w.WriteEndArray();
            });
        }, cancellationToken);
    }

    /// <summary>In the call's transaction, or with a connection for it alone; cut at 45 s unless it may go on.</summary>
    private async Task<AwsAnswer> CallAsync(DataApiLogin login, JsonBody body, bool mayGoOn, Func<DataApiConnection, CancellationToken, Task<AwsAnswer>> work, CancellationToken cancellationToken)
    {
        var id = body.Text("transactionId");
        var transaction = string.IsNullOrEmpty(id) ? null : _connections.Enter(id, login.ClusterId);
        var connection = transaction?.Connection ?? await _connections.TakeAsync(login, cancellationToken).ConfigureAwait(false);
        var running = RunAsync(id, transaction, connection, work);
        try
        {
            // A caller who goes away has its statement go on to its end, as one that is cut off by the network does.
            return await running.WaitAsync(Longest, context.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            if (!mayGoOn)
                await connection.CancelAsync().ConfigureAwait(false);
            throw new AwsError("StatementTimeoutException", "Request timed out");
        }
    }

    private async Task<AwsAnswer> RunAsync(string? id, DataApiTransaction? transaction, DataApiConnection connection, Func<DataApiConnection, CancellationToken, Task<AwsAnswer>> work)
    {
        var isLost = false;
        try
        {
            return await work(connection, CancellationToken.None).ConfigureAwait(false);
        }
        catch (AwsError)
        {
            // A result above the limits loses the transaction with it, as users of AWS's report.
            isLost = true;
            throw;
        }
        finally
        {
            if (transaction is null)
                await _connections.GiveBackAsync(connection).ConfigureAwait(false);
            else if (isLost || !connection.Connection.IsUsable)
                await _connections.EndAsync(id!, transaction, "ROLLBACK", CancellationToken.None).ConfigureAwait(false);
            else
                _connections.Leave(transaction);
        }
    }

    private static AwsAnswer Answer(JsonElement json, DataApiRows rows, string tag, IReadOnlyDictionary<uint, DataApiType>? types)
    {
        var options = Member(json, "resultSetOptions");
        var answer = new DataApiAnswer(types ?? new Dictionary<uint, DataApiType>(), Option(options, "decimalReturnType") == "DOUBLE_OR_LONG", Option(options, "longReturnType") == "STRING");
        return JsonBody.Write(w =>
        {
            if (Option(json, "formatRecordsAs") == "JSON" && rows.Columns is not null)
            {
                w.WriteString("formattedRecords", answer.FormatRecords(rows.Columns, rows.Rows));
                w.WriteNumber("numberOfRecordsUpdated", 0);
                return;
            }
            if (Flag(json, "includeResultMetadata") && rows.Columns is not null)
                answer.WriteMetadata(w, rows.Columns);
            w.WriteStartArray("generatedFields");
            w.WriteEndArray();
            w.WriteNumber("numberOfRecordsUpdated", Updated(tag));
            if (rows.Columns is not null)
                answer.WriteRecords(w, rows.Columns, rows.Rows);
        });
    }

    private static (string Sql, IReadOnlyList<string> Names) Statement(JsonBody body)
    {
        var sql = body.Required("sql");
        if (sql.Length > LongestSql)
            throw new AwsError("ValidationException", $"1 validation error detected: Value at 'sql' failed to satisfy constraint: Member must have length less than or equal to {LongestSql}");
        return NamedParameters.Rewrite(sql);
    }

    private static long Updated(string tag)
    {
        var words = tag.Split(' ');
        return words[0] is "INSERT" or "UPDATE" or "DELETE" or "MERGE" && long.TryParse(words[^1], System.Globalization.CultureInfo.InvariantCulture, out var count) ? count : 0;
    }

    private static JsonElement? Member(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value : null;

    private static bool Flag(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.True };

    private static string? Option(JsonElement? json, string name) =>
        json is { ValueKind: JsonValueKind.Object } options && Member(options, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static AwsAnswer Members(params (string Name, string Value)[] members) => JsonBody.Write(w =>
    {
        foreach (var (name, value) in members)
            w.WriteString(name, value);
    });

    public ValueTask DisposeAsync() => _connections.DisposeAsync();
}
