using System.Text;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>What a gateway says to its client, gathered until it is worth a packet. A client that does not read holds back whoever writes.</summary>
internal sealed class GatewayOutput(Stream stream)
{
    private const int Enough = 32 * 1024;

    private readonly MessageWriter _writer = new();

    /// <summary>Begins a message of this type; <see cref="MessageWriter.End"/> ends it.</summary>
    public MessageWriter Begin(char type) => _writer.Begin(type);

    /// <summary>A message without a body.</summary>
    public void Empty(char type) => _writer.Begin(type).End();

    /// <summary>Whole messages made elsewhere.</summary>
    public void Add(ReadOnlySpan<byte> messages) => _writer.Bytes(messages);

    public void Complete(string tag) => _writer.Begin('C').Text(tag).End();

    public void Ready(char status) => _writer.Begin('Z').Byte(status).End();

    public void Setting(string name, string value) => _writer.Begin('S').Text(name).Text(value).End();

    public void Fail(SqlFailure failure, int moved = 0) =>
        Add(ErrorMessage.Of(failure.Severity, failure.Code, failure.Message, failure.Detail, failure.Hint, failure.Position is { } at ? at + moved : null));

    /// <summary>RowDescription.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="formats">Format codes as Bind has them: none, one for all, or one each.</param>
    public void Columns(IReadOnlyList<ResultColumn> columns, IReadOnlyList<short> formats)
    {
        _writer.Begin('T').Int16(columns.Count);
        for (var i = 0; i < columns.Count; i++)
            _writer.Text(columns[i].Name).Int32(0).Int16(0).Int32((int)columns[i].Type.Oid).Int16(columns[i].Type.Length).Int32(columns[i].Modifier).Int16(Format(formats, i));
        _writer.End();
    }

    public static short Format(IReadOnlyList<short> formats, int column) => formats.Count == 0 ? (short)0 : formats.Count == 1 ? formats[0] : formats[column];

    /// <summary>One DataRow.</summary>
    public void Row(IReadOnlyList<string?> row, IReadOnlyList<ResultColumn> columns, IReadOnlyList<short> formats)
    {
        _writer.Begin('D').Int16(row.Count);
        for (var i = 0; i < row.Count; i++)
        {
            if (row[i] is not { } text)
                _writer.Int32(-1);
            else if (Format(formats, i) == 0)
                _writer.Value(Encoding.UTF8.GetBytes(text));
            else
                _writer.Value(BinaryValue.Write(columns[i].Type, text));
        }
        _writer.End();
    }

    /// <summary>Sends when enough has gathered.</summary>
    public ValueTask RelieveAsync(CancellationToken cancellationToken) => _writer.Length < Enough ? ValueTask.CompletedTask : FlushAsync(cancellationToken);

    /// <summary>Sends what has gathered.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_writer.Length == 0)
            return;
        var written = _writer.Written;
        _writer.Clear();
        await stream.WriteAsync(written, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The rows of a simple query.</summary>
    public sealed class SimpleRows(GatewayOutput output) : IResultRows
    {
        private IReadOnlyList<ResultColumn> _columns = [];

        public ValueTask BeginAsync(IReadOnlyList<ResultColumn> columns, CancellationToken cancellationToken)
        {
            _columns = columns;
            output.Columns(columns, []);
            return ValueTask.CompletedTask;
        }

        public ValueTask AddAsync(IReadOnlyList<string?> row, CancellationToken cancellationToken)
        {
            output.Row(row, _columns, []);
            return output.RelieveAsync(cancellationToken);
        }
    }
}
