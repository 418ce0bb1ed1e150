using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>One client of the gateway: what it says in PostgreSQL's protocol becomes statements of a <see cref="DataApiSession"/>, and what comes of them is said back.</summary>
/// <remarks>Source: PostgreSQL documentation, "Message Flow" and "Message Formats".</remarks>
internal sealed partial class GatewayConnection : IAsyncDisposable
{
    /// <summary>What a server reports of itself (PostgreSQL 15), beside what is told at the start only.</summary>
    private static readonly string[] s_reported =
    [
        "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby", "integer_datetimes", "IntervalStyle", "is_superuser",
        "server_encoding", "server_version", "session_authorization", "standard_conforming_strings", "TimeZone",
    ];

    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    private readonly ClientMessages _messages;
    private readonly GatewayOutput _output;
    private readonly DataApiServer _server;
    private bool _skips;

    public GatewayConnection(Stream stream, DataApiClient client, DataApiServer server)
    {
        _messages = new ClientMessages(stream);
        _output = new GatewayOutput(stream);
        _server = server;
        Session = new DataApiSession(client, server) { Notice = (code, text) => _output.Add(ErrorMessage.Of("WARNING", code, text)), SettingChanged = Report };
    }

    public DataApiSession Session { get; }

    /// <summary>The greeting: who the server is, as it says itself.</summary>
    /// <exception cref="SqlFailure">A setting of the client's is refused.</exception>
    public async Task GreetAsync(StartupMessage startup, CancelKey key, CancellationToken stop)
    {
        var said = new List<(string Name, string Value)>();
        _output.Begin('R').Int32(0).End();
        if (startup.Minor > 0 || startup.Names.Any(n => n.StartsWith("_pq_.", StringComparison.Ordinal)))
        {
            var unknown = startup.Names.Where(n => n.StartsWith("_pq_.", StringComparison.Ordinal)).ToList();
            var negotiate = _output.Begin('v').Int32(0x00030000).Int32(unknown.Count);
            unknown.ForEach(name => negotiate.Text(name));
            negotiate.End();
        }
        foreach (var name in s_reported)
        {
            if (name is "application_name" or "client_encoding")
                _output.Setting(name, name == "client_encoding" ? "UTF8" : "");
            else if (_server.Settings.TryGetValue(name, out var value))
                _output.Setting(name, value);
        }
        await Session.StartAsync(StartupSettings.Of(startup), stop).ConfigureAwait(false);
        _output.Add(key.ToBackendKeyData());
        _output.Ready('I');
        await _output.FlushAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Serves the client until it says goodbye or is gone.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, _messages.Gone);
        try
        {
            while (await NextAsync(stop).ConfigureAwait(false) is { Type: not 'X' } message)
                await HandleAsync(message, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _output.Add(ErrorMessage.Fatal("57P01", "terminating connection: fumidai ends"));
            await TryFlushAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client has gone.
        }
        catch (PostgresProtocolException e)
        {
            _output.Add(ErrorMessage.Fatal("08P01", e.Message));
            await TryFlushAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Rolls back what is open.</summary>
    public async ValueTask DisposeAsync()
    {
        await ClosePortalsAsync().ConfigureAwait(false);
        await _messages.DisposeAsync().ConfigureAwait(false);
        await Session.DisposeAsync().ConfigureAwait(false);
    }

    private async Task HandleAsync(ClientMessage message, CancellationToken stop)
    {
        switch (message.Type)
        {
            case 'Q':
                _skips = false;
                await SimpleQueryAsync(Text(message), stop).ConfigureAwait(false);
                break;
            case 'S':
                await SyncAsync(stop).ConfigureAwait(false);
                break;
            case 'd' or 'c' or 'f':
                // Of a COPY that failed already.
                break;
            case 'F':
                Fail(SqlFailure.Refused("a function call by its OID"));
                await ReadyAsync(stop).ConfigureAwait(false);
                break;
            case 'P' or 'B' or 'D' or 'E' or 'C' or 'H':
                if (!_skips)
                    await ExtendedAsync(message, stop).ConfigureAwait(false);
                break;
            default:
                throw new PostgresProtocolException($"invalid frontend message type {(int)message.Type}");
        }
    }

    private async Task SimpleQueryAsync(string text, CancellationToken stop)
    {
        var start = 0;
        try
        {
            var statements = SqlLexer.Split(text, Session.StandardStrings);
            if (statements.Count == 0)
                _output.Empty('I');
            for (var i = 0; i < statements.Count; i++)
            {
                start = statements[i].Start;
                var statement = SqlStatement.Parse(statements[i].Sql, Session.StandardStrings);
                // Statements of one message stand and fall together, unless they say otherwise.
                if (statements.Count > 1 && statement.Verb is not (SqlVerb.Begin or SqlVerb.Commit or SqlVerb.Rollback))
                    await Session.BeginImplicitAsync(stop).ConfigureAwait(false);
                _output.Complete(await RunAsync(statement, new GatewayOutput.SimpleRows(_output), stop).ConfigureAwait(false));
            }
            start = 0;
            await Session.EndImplicitAsync(isGood: true, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (Known(e) is { } failure)
        {
            _output.Fail(failure, Characters(text, start));
            await EndBadlyAsync(stop).ConfigureAwait(false);
        }
        await ReadyAsync(stop).ConfigureAwait(false);
    }

    private async Task EndBadlyAsync(CancellationToken stop)
    {
        try
        {
            await Session.EndImplicitAsync(isGood: false, stop).ConfigureAwait(false);
        }
        catch (SqlFailure)
        {
            // What failed is told; a rollback that fails leaves it to the service, which ends it within three minutes.
        }
    }

    private async Task ReadyAsync(CancellationToken stop)
    {
        _output.Ready(Session.Status);
        await _output.FlushAsync(stop).ConfigureAwait(false);
    }

    private async Task TryFlushAsync()
    {
        try
        {
            await _output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It does not listen.
        }
    }

    private void Fail(SqlFailure failure) => _output.Fail(failure);

    /// <summary>What one statement's trouble is, in PostgreSQL's terms; null: it is the connection's.</summary>
    private static SqlFailure? Known(Exception e) => e switch
    {
        SqlFailure failure => failure,
        Aws.DataApiFailure failure => DataApiClient.Told(failure, inTransaction: false),
        DecoderFallbackException => new SqlFailure("22021", "invalid byte sequence for encoding \"UTF8\""),
        OperationCanceledException or IOException or PostgresProtocolException => null,
        _ => new SqlFailure("XX000", $"fumidai could not carry this out: {e.GetType().Name}: {e.Message}", e),
    };

    private void Report(string name, string value)
    {
        if (Array.Find(s_reported, r => r.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } known)
            _output.Setting(known, value);
    }

    private static string Text(ClientMessage message)
    {
        if (message.Body.Length == 0 || message.Body.Span[^1] != 0)
            throw new PostgresProtocolException("a text without its end");
        return s_utf8.GetString(message.Body.Span[..^1]);
    }

    /// <summary>Characters as PostgreSQL counts them.</summary>
    private static int Characters(string text, int length)
    {
        var count = 0;
        foreach (var _ in text.AsSpan(0, length).EnumerateRunes())
            count++;
        return count;
    }
}
