using System.Text;
using System.Text.Json;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>One lab with its real PostgreSQL for the tests of the Data API.</summary>
public sealed class DataApiLab : IAsyncLifetime
{
    private static readonly HttpClient s_http = new();

    internal RelayFixture Lab { get; private set; } = null!;

    internal string Cluster { get; private set; } = "";

    internal string Secret { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Lab = await RelayFixture.StartAsync(empty: false);
        (Cluster, Secret) = Lab.Context.Model.Change(m =>
        {
            m.DbClusters["app"].HttpEndpoint = true;
            return (MasterSecret.ArnOf(m.DbClusters["app"]), m.DbClusters["app"].MasterSecretArn!);
        });
    }

    public ValueTask DisposeAsync() => Lab.DisposeAsync();

    /// <summary>A signed call; the answer, or the error's code and message.</summary>
    internal async Task<(JsonElement Json, string? Error)> CallAsync(string path, string members, SigningKeys? keys = null)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"resourceArn":"{{Cluster}}","secretArn":"{{Secret}}",{{members}}}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Lab.Context.ApiAddress, path)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        SigV4.Sign(request, body, keys ?? Lab.Keys, "rds-data", LabRegions.Main, Lab.Context.Time.GetUtcNow());
        using var response = await s_http.SendAsync(request, TestContext.Current.CancellationToken);
        var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        return (json, response.IsSuccessStatusCode ? null : $"{response.Headers.GetValues("x-amzn-ErrorType").First()}: {json.GetProperty("message").GetString()}");
    }

    internal async Task<(JsonElement Json, string? Error)> SqlAsync(string sql, string? transaction = null, string more = "") =>
        await CallAsync("/Execute", $"\"sql\":{JsonSerializer.Serialize(sql)}{(transaction is null ? "" : $",\"transactionId\":\"{transaction}\"")}{more}");

    internal async Task<string> BeginAsync() => (await CallAsync("/BeginTransaction", "\"database\":\"app\"")).Json.GetProperty("transactionId").GetString()!;
}

public sealed class RdsDataTests(DataApiLab lab) : IClassFixture<DataApiLab>
{
    [Fact]
    public async Task Values_come_in_the_members_that_their_types_have()
    {
        var (json, error) = await lab.SqlAsync("select 1, 'a', null::text, 1.50::numeric(10,2), true, '2026-01-02 03:04:05+09'::timestamptz, array[1,2], '\\x01'::bytea, 'NaN'::float8");
        Assert.Null(error);
        Assert.Equal(
            """[{"longValue":1},{"stringValue":"a"},{"isNull":true},{"stringValue":"1.50"},{"booleanValue":true},{"stringValue":"2026-01-01 18:04:05"},{"arrayValue":{"longValues":[1,2]}},{"blobValue":"AQ=="},{"stringValue":"NaN"}]""",
            json.GetProperty("records")[0].GetRawText());
    }

    [Theory]
    [InlineData("select nope", "DatabaseErrorException: ERROR: column \"nope\" does not exist; Position: 8; SQLState: 42703")]
    [InlineData("select 1; select 2", "ValidationException: Multistatements aren't supported")]
    [InlineData("select '1'::money", "UnsupportedResultException: ")]
    [InlineData("select array[[1,2]]", "UnsupportedResultException: ")]
    [InlineData("select repeat('x', 60000) from generate_series(1, 20)", "BadRequestException: Database returned more than the allowed response size limit")]
    [InlineData("select repeat('x', 70000)", "BadRequestException: Database returned a row that is larger")]
    [InlineData("select :a", "BadRequestException: Cannot find parameter: a")]
    public async Task What_the_API_refuses_is_refused_in_its_words(string sql, string begins) => Assert.StartsWith(begins, (await lab.SqlAsync(sql)).Error);

    [Fact]
    public async Task Array_parameters_and_a_schema_are_refused()
    {
        Assert.StartsWith("ValidationException", (await lab.SqlAsync("select :a", more: """,  "parameters":[{"name":"a","value":{"arrayValue":{"longValues":[1]}}}]""")).Error);
        Assert.StartsWith("ValidationException", (await lab.SqlAsync("select 1", more: ""","schema":"public" """)).Error);
        Assert.StartsWith("ValidationException", (await lab.SqlAsync($"select '{new string('x', 66_000)}'")).Error);
    }

    [Fact]
    public async Task A_transaction_lasts_three_minutes_after_its_last_call_and_is_then_rolled_back()
    {
        var id = await lab.BeginAsync();
        Assert.Null((await lab.SqlAsync("create table three_minutes(a int)", id)).Error);
        lab.Lab.Context.Time.Advance(TimeSpan.FromSeconds(170));
        Assert.Null((await lab.SqlAsync("select 1", id)).Error);
        lab.Lab.Context.Time.Advance(TimeSpan.FromSeconds(181));
        Assert.StartsWith("TransactionNotFoundException", (await lab.SqlAsync("select 1", id)).Error);
        Assert.Contains("42P01", (await lab.SqlAsync("select * from three_minutes")).Error);
    }

    [Fact]
    public async Task A_transaction_runs_one_call_at_a_time()
    {
        var id = await lab.BeginAsync();
        // Whoever holds the lock decides when the first call ends.
        var holder = await lab.BeginAsync();
        Assert.Null((await lab.SqlAsync("select 1 from pg_advisory_xact_lock(7)", holder)).Error);
        var first = lab.SqlAsync("select 1 from pg_advisory_xact_lock(7)", id);
        // The first call has the transaction as soon as the server knows of its wait.
        while ((await lab.SqlAsync("select count(*) from pg_locks where locktype = 'advisory' and not granted")).Json.GetProperty("records")[0][0].GetProperty("longValue").GetInt64() == 0)
        {
            Assert.False(first.IsCompleted, "it was to wait for the lock");
            ServerFixture.Limit.ThrowIfCancellationRequested();
        }
        Assert.Equal("DatabaseErrorException: Transaction is still running a query", (await lab.SqlAsync("select 1", id)).Error);
        await lab.CallAsync("/RollbackTransaction", $"\"transactionId\":\"{holder}\"");
        Assert.Null((await first).Error);
        Assert.Equal("Rollback Complete", (await lab.CallAsync("/RollbackTransaction", $"\"transactionId\":\"{id}\"")).Json.GetProperty("transactionStatus").GetString());
    }

    [Fact]
    public async Task A_result_above_the_limit_takes_its_transaction_with_it()
    {
        var id = await lab.BeginAsync();
        Assert.Contains("allowed response size", (await lab.SqlAsync("select repeat('x', 60000) from generate_series(1, 20)", id)).Error);
        Assert.StartsWith("TransactionNotFoundException", (await lab.SqlAsync("select 1", id)).Error);
    }

    [Fact]
    public async Task Nothing_of_one_calls_session_is_left_for_the_next()
    {
        await lab.SqlAsync("set search_path to nowhere");
        Assert.Equal("\"$user\", public", (await lab.SqlAsync("select current_setting('search_path')")).Json.GetProperty("records")[0][0].GetProperty("stringValue").GetString());
    }

    [Fact]
    public async Task Batches_run_a_statement_for_each_set()
    {
        await lab.SqlAsync("create table batched(a int, b text)");
        Assert.Null((await lab.CallAsync("/BatchExecute", """
            "sql":"insert into batched values (:a, :b)","parameterSets":[[{"name":"a","value":{"longValue":1}},{"name":"b","value":{"isNull":true}}],[{"name":"a","value":{"longValue":2}},{"name":"b","value":{"stringValue":"x"}}]]
            """)).Error);
        Assert.Equal("""[{"a":1,"b":null},{"a":2,"b":"x"}]""", (await lab.SqlAsync("select * from batched order by a", more: ""","formatRecordsAs":"JSON" """)).Json.GetProperty("formattedRecords").GetString());
    }

    [Fact]
    public async Task Without_the_permission_on_the_secret_nothing_is_run()
    {
        var keys = lab.Lab.Context.Model.Change(m =>
        {
            var user = new User { Id = "AIDADATAAPI000000001", Account = LabAccounts.Main, Region = LabRegions.Main, Name = "reporter", AccessKeyId = "AKIADATAAPI000000001", SecretAccessKey = "none of yours" };
            user.InlinePolicies["data"] = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rds-data:*","Resource":"{{lab.Cluster}}"}]}""";
            m.Users[LabModel.Key(user.Account, user.Name)] = user;
            return new SigningKeys(user.AccessKeyId, user.SecretAccessKey, null);
        });
        var (_, error) = await lab.CallAsync("/Execute", "\"sql\":\"select 1\"", keys);
        Assert.StartsWith("AccessDeniedException", error);
        Assert.Contains("secretsmanager:GetSecretValue", error);
    }
}

public sealed class RdsDataStateTests
{
    [Fact]
    public async Task An_endpoint_that_is_off_a_secret_that_is_no_login_and_a_paused_cluster_are_told_apart()
    {
        await using var lab = new DataApiLab();
        await lab.InitializeAsync();
        var model = lab.Lab.Context.Model;
        model.Change(m => m.DbClusters["app"].HttpEndpoint = false);
        Assert.StartsWith("HttpEndpointNotEnabledException", (await lab.SqlAsync("select 1")).Error);
        model.Change(m => m.DbClusters["app"].HttpEndpoint = true);

        var kept = model.Change(m => (m.Secrets[lab.Secret].SecretString, m.Secrets[lab.Secret].SecretString = "no login").Item1);
        Assert.StartsWith("InvalidSecretException", (await lab.SqlAsync("select 1")).Error);
        model.Change(m => m.Secrets[lab.Secret].SecretString = """{"username":"postgres","password":"another cluster's"}""");
        Assert.Contains("28P01", (await lab.SqlAsync("select 1")).Error);
        model.Change(m => m.Secrets[lab.Secret].SecretString = kept);

        model.Change(m => m.DbClusters["app"].IsPaused = true);
        Assert.StartsWith("DatabaseResumingException", (await lab.SqlAsync("select 1")).Error);
        while (model.Read(m => m.DbClusters["app"].IsPaused))
        {
            var changed = model.NextChange;
            lab.Lab.Context.Time.Advance(TimeSpan.FromSeconds(1));
            if (model.Read(m => m.DbClusters["app"].IsPaused))
                await changed.WaitAsync(ServerFixture.Limit);
        }
        Assert.Null((await lab.SqlAsync("select 1")).Error);
    }
}
