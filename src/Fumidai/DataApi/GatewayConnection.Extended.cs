using System.Globalization;
using Fumidai.Postgres;

namespace Fumidai;

/// <content>The extended protocol.</content>
internal sealed partial class GatewayConnection
{
    /// <summary>Longer values go beside the statement, not in it: its text is limited.</summary>
    private const int LongValue = 1000;

    private readonly Dictionary<string, GatewayStatement> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GatewayPortal> _portals = new(StringComparer.Ordinal);
    private ClientMessage? _next;

    /// <summary>What the client says next, without taking it: what a message asks for may depend on it. A client that wants an answer says Sync or Flush.</summary>
    private async ValueTask<ClientMessage?> PeekAsync(CancellationToken stop) => _next ??= await _messages.ReadAsync(stop).ConfigureAwait(false);

    private async ValueTask<ClientMessage?> NextAsync(CancellationToken stop)
    {
        var next = _next ?? await _messages.ReadAsync(stop).ConfigureAwait(false);
        _next = null;
        return next;
    }

    private async Task ExtendedAsync(ClientMessage message, CancellationToken stop)
    {
        try
        {
            switch (message.Type)
            {
                case 'P':
                    await ParseAsync(message, stop).ConfigureAwait(false);
                    break;
                case 'B':
                    await BindAsync(message, stop).ConfigureAwait(false);
                    break;
                case 'D':
                    await DescribeAsync(message, stop).ConfigureAwait(false);
                    break;
                case 'E':
                    await ExecuteAsync(message, stop).ConfigureAwait(false);
                    break;
                case 'C':
                    await CloseAsync(message).ConfigureAwait(false);
                    break;
                default:
                    await _output.FlushAsync(stop).ConfigureAwait(false);
                    break;
            }
            await _output.RelieveAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (Known(e) is { } failure)
        {
            _output.Fail(failure);
            Session.Spoil();
            _skips = true;
        }
    }

    private async Task SyncAsync(CancellationToken stop)
    {
        try
        {
            if (Session.Status == 'I')
                await ClosePortalsAsync().ConfigureAwait(false);
            await Session.EndImplicitAsync(isGood: !_skips, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (Known(e) is { } failure)
        {
            if (!_skips)
                _output.Fail(failure);
        }
        _skips = false;
        await ReadyAsync(stop).ConfigureAwait(false);
    }

    private async Task ParseAsync(ClientMessage message, CancellationToken stop)
    {
        var body = new BodyReader(message.Body);
        var (name, sql) = (body.Text(), body.Text());
        var types = new uint[body.Count()];
        for (var i = 0; i < types.Length; i++)
            types[i] = (uint)body.Int32();
        body.End();
        if (name.Length > 0 && _statements.ContainsKey(name))
            throw new SqlFailure("42P05", $"prepared statement \"{name}\" already exists");
        var split = SqlLexer.Split(sql, Session.StandardStrings);
        if (split.Count > 1)
            throw new SqlFailure("42601", "cannot insert multiple commands into a prepared statement");
        var statement = split is [var (_, text)] ? SqlStatement.Parse(text, Session.StandardStrings) : null;
        var prepared = _statements[name] = new(statement, split is [var (_, only)] ? only : "", types);
        // Prepared now and used later: what is wrong with it is told now. Else its use will tell, at once.
        if (await PeekAsync(stop).ConfigureAwait(false) is { Type: 'S' or 'H' })
        {
            try
            {
                await TypesAsync(prepared, stop).ConfigureAwait(false);
            }
            catch
            {
                _statements.Remove(name);
                throw;
            }
        }
        _output.Empty('1');
    }

    private GatewayStatement Statement(string name) => _statements.TryGetValue(name, out var statement) ? statement
        : throw new SqlFailure("26000", name.Length == 0 ? "unnamed prepared statement does not exist" : $"prepared statement \"{name}\" does not exist");

    /// <summary>OIDs of all parameters: as declared, else as the server finds them.</summary>
    private async Task<IReadOnlyList<uint>> TypesAsync(GatewayStatement prepared, CancellationToken stop) =>
        prepared.Statement is not { IsPreparable: true } ? [] : await Session.ParameterTypesAsync(prepared.Sql, prepared.Types, stop).ConfigureAwait(false);

    private async Task BindAsync(ClientMessage message, CancellationToken stop)
    {
        var (name, statementName, formats, values, results) = ReadBind(message);
        if (name.Length > 0 && _portals.ContainsKey(name))
            throw new SqlFailure("42P03", $"cursor \"{name}\" already exists");
        var prepared = Statement(statementName);
        if (formats.Length > 1 && formats.Length != values.Length)
            throw new SqlFailure("08P01", $"bind message has {formats.Length} parameter formats but {values.Length} parameters");
        var bound = prepared.Statement;
        if (bound is not null && (values.Length > 0 || bound.Tokens.Any(t => t.Kind == SqlTokenKind.Parameter)))
            bound = await BoundAsync(prepared, formats, values, stop).ConfigureAwait(false);
        if (_portals.Remove(name, out var old))
            await old.DisposeAsync().ConfigureAwait(false);
        _portals[name] = new(bound, results, _output);
        _output.Empty('2');
    }

    private static (string Portal, string Statement, short[] Formats, ReadOnlyMemory<byte>?[] Values, short[] Results) ReadBind(ClientMessage message)
    {
        var body = new BodyReader(message.Body);
        var (portal, statement) = (body.Text(), body.Text());
        var formats = new short[body.Count()];
        for (var i = 0; i < formats.Length; i++)
            formats[i] = Checked(body.Int16());
        var values = new ReadOnlyMemory<byte>?[body.Count()];
        for (var i = 0; i < values.Length; i++)
            values[i] = body.Value();
        var results = new short[body.Count()];
        for (var i = 0; i < results.Length; i++)
            results[i] = Checked(body.Int16());
        body.End();
        return (portal, statement, formats, values, results);
    }

    private static short Checked(short format) => format is 0 or 1 ? format : throw new SqlFailure("22023", $"unsupported format code: {format.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>The statement with each parameter replaced by its value: a literal of the type it has, or one of no type where that is to be found out.</summary>
    private async Task<SqlStatement> BoundAsync(GatewayStatement prepared, short[] formats, ReadOnlyMemory<byte>?[] values, CancellationToken stop)
    {
        var types = prepared.Types;
        // A binary value means nothing without its type, and one that goes beside the text needs a name for it.
        if (Enumerable.Range(0, values.Length).Any(i => (i >= types.Count || types[i] == 0) && values[i] is { } value && (GatewayOutput.Format(formats, i) == 1 || value.Length > LongValue)))
            types = await TypesAsync(prepared, stop).ConfigureAwait(false);
        var written = new string[values.Length];
        var beside = new List<Aws.DataApiParameter>();
        for (var i = 0; i < values.Length; i++)
        {
            var type = i < types.Count && types[i] is not (0 or 705) ? await _server.TypeAsync(types[i], Session, stop).ConfigureAwait(false) : null;
            var text = values[i] is not { } bytes ? null : GatewayOutput.Format(formats, i) == 0 ? s_utf8.GetString(bytes.Span) : TextValue.Read(type ?? PostgresType.Text, bytes.Span);
            var literal = text is null ? "NULL" : SqlParameters.Literal(text);
            if (literal.Length > LongValue)
            {
                literal = string.Create(CultureInfo.InvariantCulture, $":fumidai_{i + 1}");
                beside.Add(new(literal[1..], Aws.DataApiKind.String, text));
            }
            written[i] = type is null ? literal : $"CAST({literal} AS {DataApiServer.NameOf(type)})";
        }
        var sql = SqlParameters.Replace(prepared.Sql, number => number >= 1 && number <= written.Length ? written[number - 1] : throw new SqlFailure("42P02", $"there is no parameter ${number}"));
        var key = $"{string.Join(',', types)}|{prepared.Sql}";
        return SqlStatement.Parse(sql, Session.StandardStrings, key, beside);
    }

    private async Task DescribeAsync(ClientMessage message, CancellationToken stop)
    {
        var body = new BodyReader(message.Body);
        var (what, name) = ((char)body.Byte(), body.Text());
        body.End();
        if (what == 'S')
        {
            await DescribeStatementAsync(Statement(name), stop).ConfigureAwait(false);
            return;
        }
        var portal = Portal(name);
        if (portal.Statement is null)
            _output.Empty('n');
        else if (await PeekAsync(stop).ConfigureAwait(false) is { Type: 'E' } next && new BodyReader(next.Body).Text() == name && portal.Statement.Verb != SqlVerb.Copy)
            portal.IsToDescribe = true; // one call tells both columns and rows
        else
            Described(await Session.DescribeAsync(portal.Statement, stop).ConfigureAwait(false), portal.Formats);
    }

    private async Task DescribeStatementAsync(GatewayStatement prepared, CancellationToken stop)
    {
        var types = await TypesAsync(prepared, stop).ConfigureAwait(false);
        var parameters = _output.Begin('t').Int16(types.Count);
        foreach (var oid in types)
            parameters.Int32((int)oid);
        parameters.End();
        if (prepared.Statement is not { } statement)
        {
            _output.Empty('n');
            return;
        }
        var bound = types.Count == 0 ? statement : await BoundAsync(prepared with { Types = types }, [], new ReadOnlyMemory<byte>?[types.Count], stop).ConfigureAwait(false);
        Described(await Session.DescribeAsync(bound, stop).ConfigureAwait(false), []);
    }

    private void Described(IReadOnlyList<ResultColumn>? columns, IReadOnlyList<short> formats)
    {
        if (columns is null)
            _output.Empty('n');
        else
            _output.Columns(columns, formats);
    }

    private GatewayPortal Portal(string name) => _portals.TryGetValue(name, out var portal) ? portal : throw new SqlFailure("34000", $"portal \"{name}\" does not exist");

    private async Task ExecuteAsync(ClientMessage message, CancellationToken stop)
    {
        var body = new BodyReader(message.Body);
        var (name, most) = (body.Text(), body.Int32());
        body.End();
        var portal = Portal(name);
        if (portal.Statement is not { } statement)
        {
            _output.Empty('I');
            return;
        }
        // Whatever stands before one Sync stands and falls together; one statement alone needs no transaction for that.
        var isAlone = await PeekAsync(stop).ConfigureAwait(false) is not { Type: not 'S' };
        if ((!isAlone || most > 0) && !statement.IsAlone && statement.Verb is not (SqlVerb.Begin or SqlVerb.Commit or SqlVerb.Rollback or SqlVerb.Set or SqlVerb.Reset or SqlVerb.Discard or SqlVerb.Deallocate))
            await Session.BeginImplicitAsync(stop).ConfigureAwait(false);
        if (portal.IsOver)
            throw new SqlFailure("55000", $"portal \"{name}\" cannot be run anymore");
        var tag = await portal.RunAsync(Math.Max(0, most), rows => RunAsync(statement, rows, stop)).ConfigureAwait(false);
        if (portal.IsToDescribe)
            _output.Empty('n');
        portal.IsToDescribe = false;
        if (tag is null)
            _output.Empty('s');
        else
            _output.Complete(tag);
    }

    private async Task CloseAsync(ClientMessage message)
    {
        var body = new BodyReader(message.Body);
        var (what, name) = ((char)body.Byte(), body.Text());
        body.End();
        if (what == 'S')
            _statements.Remove(name);
        else if (_portals.Remove(name, out var portal))
            await portal.DisposeAsync().ConfigureAwait(false);
        _output.Empty('3');
    }

    private async Task ClosePortalsAsync()
    {
        foreach (var portal in _portals.Values)
            await portal.DisposeAsync().ConfigureAwait(false);
        _portals.Clear();
    }

    /// <summary>Runs a statement of either protocol; prepared statements of the protocol are known to SQL's DEALLOCATE too.</summary>
    private async Task<string> RunAsync(SqlStatement statement, IResultRows rows, CancellationToken stop)
    {
        if (statement.Verb == SqlVerb.Deallocate && Session.Status != 'E' && _statements.Remove(statement.Name(statement.Tokens.Count - 1)))
            return "DEALLOCATE";
        if (statement.Verb == SqlVerb.Copy)
            return await CopyAsync(statement, stop).ConfigureAwait(false);
        var tag = await Session.RunAsync(statement, rows, stop).ConfigureAwait(false);
        if (tag is "DEALLOCATE ALL" or "DISCARD ALL")
            _statements.Clear();
        return tag;
    }
}
