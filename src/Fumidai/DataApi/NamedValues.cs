using System.Text;
using System.Text.RegularExpressions;
using Fumidai.Postgres;

namespace Fumidai;

/// <summary>Values in place of <c>:name</c>.</summary>
internal static partial class NamedValues
{
    public static string Put(string sql, IReadOnlyDictionary<string, (string Value, string? Type)> parameters)
    {
        if (parameters.Count == 0)
            return sql;
        var put = new StringBuilder(sql.Length);
        var tokens = SqlLexer.Read(sql);
        for (var i = 0; i < tokens.Count; i++)
        {
            var text = sql[tokens[i].Start..tokens[i].End];
            var isColon = text == ":" && i + 1 < tokens.Count && tokens[i + 1].Kind == SqlTokenKind.Word && (i == 0 || sql[tokens[i].Start - 1] != ':');
            if (isColon && parameters.TryGetValue(sql[tokens[i + 1].Start..tokens[i + 1].End], out var value))
            {
                put.Append(value.Type is null ? SqlParameters.Literal(value.Value) : $"CAST({SqlParameters.Literal(value.Value)} AS {Checked(value.Type)})");
                i++;
            }
            else
            {
                put.Append(text);
            }
        }
        return put.ToString();
    }

    private static string Checked(string type) => Type().IsMatch(type) ? type
        : throw new FumidaiException(Reason.Usage, $"“{type}” is not the name of a type", next: "Write --param name=value:type, for instance --param id=7:int");

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?( [A-Za-z]+)*(\([0-9]+(,[0-9]+)?\))?(\[\])*$", RegexOptions.CultureInvariant)]
    private static partial Regex Type();
}
