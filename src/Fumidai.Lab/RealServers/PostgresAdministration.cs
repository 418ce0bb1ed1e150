using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Fumidai.Lab;

/// <summary>The lab's own connection to a server it started: over its Unix socket, which only the lab's user can open, so without a password.</summary>
internal static class PostgresAdministration
{
    /// <summary>Superuser of the lab, as on RDS; the master user is not one.</summary>
    public const string Superuser = "rdsadmin";

    /// <summary>Runs statements one after the other, each its own transaction.</summary>
    /// <exception cref="LabException">The server refused one; the message holds its words, not the statement.</exception>
    public static async Task ExecuteAsync(string socketPath, string database, IReadOnlyList<string> statements, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Startup(database), cancellationToken).ConfigureAwait(false);
        await UntilReadyAsync(stream, cancellationToken).ConfigureAwait(false);
        foreach (var statement in statements)
        {
            await stream.WriteAsync(Message('Q', statement), cancellationToken).ConfigureAwait(false);
            await UntilReadyAsync(stream, cancellationToken).ConfigureAwait(false);
        }
        await stream.WriteAsync(Message('X', null), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>An identifier, quoted.</summary>
    public static string Identifier(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>A text literal, quoted.</summary>
    public static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static byte[] Startup(string database)
    {
        var fields = Encoding.UTF8.GetBytes($"user\0{Superuser}\0database\0{database}\0application_name\0fumidai lab\0\0");
        var message = new byte[8 + fields.Length];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), 0x00030000);
        fields.CopyTo(message, 8);
        return message;
    }

    private static byte[] Message(char type, string? text)
    {
        var body = text is null ? [] : Encoding.UTF8.GetBytes(text + "\0");
        var message = new byte[5 + body.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + body.Length);
        body.CopyTo(message, 5);
        return message;
    }

    private static async Task UntilReadyAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[5];
        string? refusal = null;
        while (true)
        {
            await stream.ReadExactlyAsync(head, cancellationToken).ConfigureAwait(false);
            var body = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4];
            await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
            switch ((char)head[0])
            {
                case 'E':
                    refusal = string.Join(' ', Encoding.UTF8.GetString(body).Split('\0').Where(field => field.StartsWith('C') || field.StartsWith('M')).Select(field => field[1..]));
                    // A refused start-up is followed by nothing.
                    if (body.AsSpan().IndexOf("SFATAL\0"u8) >= 0)
                        throw new LabException($"PostgreSQL refused the lab: {refusal}");
                    break;
                case 'Z' when refusal is not null:
                    throw new LabException($"PostgreSQL refused the lab: {refusal}");
                case 'Z':
                    return;
            }
        }
    }
}
