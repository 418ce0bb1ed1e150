using Fumidai.Postgres;

namespace Fumidai;

/// <summary>SQL from a program: statements go to a target, results come back as PostgreSQL's text. Not for several tasks at once.</summary>
public abstract class SqlSession : IAsyncDisposable
{
    /// <summary>Opens one: over the Data API, or through a tunnel by the route that the settings name.</summary>
    /// <param name="request">Where to.</param>
    /// <param name="overTunnel">Through a tunnel.</param>
    /// <param name="waiting">Told what is waited for; null: nothing any more.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FumidaiException">With the reason and next step.</exception>
    public static async Task<SqlSession> OpenAsync(TunnelRequest request, bool overTunnel, Action<string?> waiting, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (overTunnel)
            return await TunnelSqlSession.OpenAsync(request, cancellationToken).ConfigureAwait(false);
        var address = await DataApiTarget.OfAsync(request, null, cancellationToken).ConfigureAwait(false);
        var client = new DataApiClient(request.Access, address, request.Time, waiting);
        var server = await DataApiTarget.OpenAsync(request.Target.Name, address, client, cancellationToken).ConfigureAwait(false);
        return new DataApiSqlSession(new DataApiSession(client, server));
    }

    /// <summary>The statements of a text, with the index where each begins.</summary>
    public static IReadOnlyList<(int Start, string Sql)> Split(string sql) => SqlLexer.Split(sql);

    /// <summary>Puts values in the place of <c>:name</c>: as literals, with a cast where a type was named. Strings, comments and casts are left alone.</summary>
    /// <exception cref="FumidaiException">Usage: a type that is none.</exception>
    public static string WithParameters(string sql, IReadOnlyDictionary<string, (string Value, string? Type)> parameters) => NamedValues.Put(sql, parameters);

    /// <summary>Runs one statement; its command tag.</summary>
    /// <exception cref="SqlFailure">It failed.</exception>
    public abstract Task<string> RunAsync(string sql, IResultRows rows, CancellationToken cancellationToken);

    /// <summary>Stops waiting for a statement that is told to go on over there (definitions over the Data API).</summary>
    public virtual bool GoesOnAfterTimeout(string sql) => false;

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    private sealed class DataApiSqlSession(DataApiSession session) : SqlSession
    {
        public override Task<string> RunAsync(string sql, IResultRows rows, CancellationToken cancellationToken) => session.RunAsync(SqlStatement.Parse(sql), rows, cancellationToken);

        public override bool GoesOnAfterTimeout(string sql) => SqlStatement.Parse(sql).Verb == SqlVerb.Utility && !session.HasTransaction;

        public override ValueTask DisposeAsync() => session.DisposeAsync();
    }
}
