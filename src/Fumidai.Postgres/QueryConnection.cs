using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;

namespace Fumidai.Postgres;

/// <summary>
/// A client's end of a signed-in connection: one statement after the other by the extended protocol, values as text. For those who need no driver:
/// the lab's Data API, and SQL from a script. Not for several tasks at once.
/// </summary>
public sealed class QueryConnection : IAsyncDisposable
{
    /// <summary>Longest message read: PostgreSQL's own limit of one value is 1 GiB.</summary>
    private const int MaxMessage = 1 << 30;

    private readonly Stream _stream;
    private readonly PipeReader _reader;

    /// <param name="stream">Behind the greeting (BackendKeyData read, ReadyForQuery not). Owned from here on.</param>
    public QueryConnection(Stream stream)
    {
        _stream = stream;
        _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 32 * 1024, leaveOpen: true));
    }

    /// <summary>I idle, T in a transaction, E in a failed one; as the server last said.</summary>
    public char Status { get; private set; } = 'I';

    /// <summary>False once a call broke off in the middle: what comes next on the wire is nobody's.</summary>
    public bool IsUsable { get; private set; } = true;

    /// <summary>Reads the rest of the greeting, up to the first ReadyForQuery.</summary>
    /// <exception cref="SqlErrorException">Refused.</exception>
    public Task ReadyAsync(CancellationToken cancellationToken) => UntilReadyAsync(null, cancellationToken);

    /// <summary>Runs one statement.</summary>
    /// <param name="sql">Exactly one statement; <c>$1</c> … are its parameters.</param>
    /// <param name="parameters">Values.</param>
    /// <param name="rows">Takes the result; null: it is not wanted.</param>
    /// <param name="cancellationToken">Breaks off; the connection is then not usable.</param>
    /// <returns>The command tag; empty for an empty statement.</returns>
    /// <exception cref="SqlErrorException">The server refused it; the connection lives, unless it was fatal.</exception>
    /// <exception cref="PostgresProtocolException">The server ended the connection or said what does not belong there.</exception>
    public async Task<string> QueryAsync(string sql, IReadOnlyList<QueryParameter> parameters, IQueryRows? rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sql);
        ArgumentNullException.ThrowIfNull(parameters);
        if (!IsUsable)
            throw new PostgresProtocolException("the connection is over");
        var out_ = new MessageWriter();
        out_.Begin('P').Text("").Text(sql).Int16(parameters.Count);
        foreach (var parameter in parameters)
            out_.Int32((int)parameter.TypeOid);
        out_.End();
        out_.Begin('B').Text("").Text("").Int16(0).Int16(parameters.Count);
        foreach (var parameter in parameters)
            out_.Value(parameter.Text);
        out_.Int16(0).End();
        out_.Begin('D').Byte('P').Text("").End();
        out_.Begin('E').Text("").Int32(0).End();
        out_.Begin('S').End();
        IsUsable = false;
        await _stream.WriteAsync(out_.Written, cancellationToken).ConfigureAwait(false);
        await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        return await UntilReadyAsync(rows, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> UntilReadyAsync(IQueryRows? rows, CancellationToken cancellationToken)
    {
        IsUsable = false;
        SqlErrorException? refused = null;
        var tag = "";
        while (true)
        {
            var read = await _reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var input = read.Buffer;
            var isReady = false;
            while (!isReady && TryTake(ref input, out var type, out var body))
            {
                switch (type)
                {
                    case 'T':
                        rows?.Begin(ReadColumns(body.ToArray()));
                        break;
                    case 'D':
                        if (rows is not null)
                            rows.Add(ReadValues(body.ToArray()));
                        break;
                    case 'C':
                        tag = Encoding.UTF8.GetString(body.ToArray().AsSpan()[..^1]);
                        break;
                    case 'E':
                        refused = new SqlErrorException(ReadFields(body.ToArray()));
                        break;
                    case 'G':
                        // Nobody gives it data: the statement fails, the connection lives.
                        await _stream.WriteAsync(new MessageWriter().Begin('f').Text("COPY from the client is not possible here").End().Begin('S').End().Written, cancellationToken).ConfigureAwait(false);
                        break;
                    case 'Z':
                        Status = (char)body.FirstSpan[0];
                        isReady = true;
                        break;
                    default:
                        // ParseComplete, BindComplete, NoData, notices, parameters, data of a COPY: nothing to be done.
                        break;
                }
            }
            _reader.AdvanceTo(input.Start, isReady ? input.Start : input.End);
            if (isReady)
                break;
            if (read.IsCompleted)
                throw refused is null ? new PostgresProtocolException("the server ended the connection") : refused;
        }
        IsUsable = true;
        return refused is null ? tag : throw refused;
    }

    private static bool TryTake(ref ReadOnlySequence<byte> input, out char type, out ReadOnlySequence<byte> body)
    {
        (type, body) = ('\0', default);
        if (input.Length < 5)
            return false;
        Span<byte> head = stackalloc byte[5];
        input.Slice(0, 5).CopyTo(head);
        var length = BinaryPrimitives.ReadInt32BigEndian(head[1..]);
        if (length is < 4 or > MaxMessage)
            throw new PostgresProtocolException("a message of a length that does not belong there");
        if (input.Length < 1L + length)
            return false;
        type = (char)head[0];
        body = input.Slice(5, length - 4);
        input = input.Slice(1 + length);
        return true;
    }

    private static QueryColumn[] ReadColumns(ReadOnlySpan<byte> body)
    {
        var columns = new QueryColumn[BinaryPrimitives.ReadInt16BigEndian(body)];
        body = body[2..];
        for (var i = 0; i < columns.Length; i++)
        {
            var end = body.IndexOf((byte)0);
            var name = Encoding.UTF8.GetString(body[..end]);
            body = body[(end + 1)..];
            columns[i] = new(name, BinaryPrimitives.ReadUInt32BigEndian(body), BinaryPrimitives.ReadInt16BigEndian(body[4..]), BinaryPrimitives.ReadUInt32BigEndian(body[6..]),
                BinaryPrimitives.ReadInt16BigEndian(body[10..]), BinaryPrimitives.ReadInt32BigEndian(body[12..]));
            body = body[18..];
        }
        return columns;
    }

    private static ReadOnlyMemory<byte>?[] ReadValues(ReadOnlyMemory<byte> body)
    {
        var values = new ReadOnlyMemory<byte>?[BinaryPrimitives.ReadInt16BigEndian(body.Span)];
        body = body[2..];
        for (var i = 0; i < values.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(body.Span);
            body = body[4..];
            if (length < 0)
                continue;
            values[i] = body[..length];
            body = body[length..];
        }
        return values;
    }

    private static Dictionary<char, string> ReadFields(ReadOnlySpan<byte> body)
    {
        var fields = new Dictionary<char, string>();
        while (body.Length > 1 && body[0] != 0 && body[1..].IndexOf((byte)0) is >= 0 and var end)
        {
            fields[(char)body[0]] = Encoding.UTF8.GetString(body.Slice(1, end));
            body = body[(end + 2)..];
        }
        return fields;
    }

    /// <summary>Says goodbye where that is possible, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (IsUsable)
                await _stream.WriteAsync(new MessageWriter().Begin('X').End().Written).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It is closed already.
        }
        IsUsable = false;
        await _reader.CompleteAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }
}
