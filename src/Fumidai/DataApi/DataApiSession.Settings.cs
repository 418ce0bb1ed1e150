using Fumidai.Aws;
using Fumidai.Postgres;

namespace Fumidai;

/// <content>Settings: what SET said is brought to each transaction.</content>
internal sealed partial class DataApiSession
{
    /// <summary>Settings that change nothing over there that anybody could see through here; they are remembered and answered, not brought.</summary>
    private static readonly HashSet<string> s_local = new(StringComparer.OrdinalIgnoreCase) { "application_name", "client_min_messages", "client_encoding" };

    private readonly Dictionary<string, string> _settings = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _localSettings = new(StringComparer.OrdinalIgnoreCase);
    private Dictionary<string, string>? _pending;

    /// <summary>What this session set, to be brought.</summary>
    public IReadOnlyDictionary<string, string> Settings => _settings;

    /// <summary>standard_conforming_strings as it is now.</summary>
    public bool StandardStrings => ((_pending?.GetValueOrDefault("standard_conforming_strings") ?? _settings.GetValueOrDefault("standard_conforming_strings")) ?? server.Settings.GetValueOrDefault("standard_conforming_strings")) != "off";

    /// <summary>Takes what a client said at its start, as far as it differs from the server's settings.</summary>
    public async Task StartAsync(IReadOnlyDictionary<string, string> wanted, CancellationToken cancellationToken)
    {
        foreach (var (name, value) in wanted)
        {
            if (s_local.Contains(name))
            {
                KeepLocal(name, value);
                continue;
            }
            if (IsInert(name, value))
                continue;
            var rows = await AskAsync("SELECT pg_catalog.set_config(:n, :v, true)", [new("n", DataApiKind.String, name), new("v", DataApiKind.String, value)], cancellationToken).ConfigureAwait(false);
            Keep(name, rows[0][0] ?? value);
        }
    }

    private async Task<string> SetAsync(SqlStatement statement, CancellationToken cancellationToken)
    {
        if (statement.Verb == SqlVerb.Discard || (statement.Verb == SqlVerb.Reset && statement.Word(1) == "ALL"))
        {
            if (statement.Verb == SqlVerb.Discard && _transaction is not null && !_isImplicit)
                throw new SqlFailure("25001", "DISCARD ALL cannot run inside a transaction block");
            foreach (var name in _settings.Keys.ToList())
                Keep(name, server.Settings.GetValueOrDefault(name));
            if (statement.Word(1) == "ALL" && statement.Verb == SqlVerb.Discard)
                _prepared.Clear();
            if (_transaction is not null)
                await AskAsync("RESET ALL", [], cancellationToken).ConfigureAwait(false);
            return statement.Verb == SqlVerb.Discard ? $"DISCARD {statement.Word(1)}" : "RESET";
        }
        var setting = Setting.Of(statement);
        if (s_local.Contains(setting.Names[0]))
        {
            KeepLocal(setting.Names[0], setting.Value ?? "");
            return statement.Word(0);
        }
        if (!setting.IsLocal && setting.Value is { } known && IsInert(setting.Names[0], known))
            return "SET";
        if (setting.IsLocal && (_transaction is null || _isImplicit))
        {
            Notice("25P01", "SET LOCAL can only be used in transaction blocks");
            return "SET";
        }
        var isOpen = _transaction is not null;
        if (isOpen)
            await SetInTransactionAsync(setting, cancellationToken).ConfigureAwait(false);
        else if (statement.Verb == SqlVerb.Reset)
            setting.Names.ToList().ForEach(name => Keep(name, server.Settings.GetValueOrDefault(name)));
        else
            await InOwnTransactionAsync(() => SetInTransactionAsync(setting, cancellationToken), cancellationToken).ConfigureAwait(false);
        return statement.Word(0);
    }

    private async Task SetInTransactionAsync(Setting setting, CancellationToken cancellationToken)
    {
        await AskAsync(setting.LocalSql, [], cancellationToken).ConfigureAwait(false);
        if (setting.IsLocal)
            return;
        foreach (var name in setting.Names)
        {
            var rows = await AskAsync("SELECT pg_catalog.current_setting(:n)", [new("n", DataApiKind.String, name)], cancellationToken).ConfigureAwait(false);
            _pending![name] = rows[0][0] ?? "";
        }
    }

    private Task ApplySettingsAsync(CancellationToken cancellationToken)
    {
        var (calls, parameters) = (new List<string>(), new List<DataApiParameter>());
        // The role last: as it, other settings might not be allowed.
        foreach (var (name, value) in _settings.OrderBy(s => s.Key.Equals("role", StringComparison.OrdinalIgnoreCase)))
        {
            calls.Add($"pg_catalog.set_config(:n{calls.Count}, :v{calls.Count}, true)");
            parameters.Add(new($"n{calls.Count - 1}", DataApiKind.String, name));
            parameters.Add(new($"v{calls.Count - 1}", DataApiKind.String, value));
        }
        return AskAsync($"SELECT {string.Join(", ", calls)}", [.. parameters], cancellationToken);
    }

    /// <summary>From now on; the server's own value is nothing that has to be brought.</summary>
    private void Keep(string name, string? value)
    {
        if (value is null || server.Settings.GetValueOrDefault(name) == value)
            _settings.Remove(name);
        else
            _settings[name] = value;
        if (value is not null)
            SettingChanged(name, value);
    }

    private void KeepLocal(string name, string value)
    {
        if (name.Equals("client_encoding", StringComparison.OrdinalIgnoreCase))
        {
            value = value.Replace("-", "", StringComparison.Ordinal).Trim('\'', '"').ToUpperInvariant() switch
            {
                "UTF8" or "UNICODE" or "DEFAULT" or "" => "UTF8",
                // Bytes as they are, which here are UTF-8.
                "SQL_ASCII" or "SQLASCII" => "SQL_ASCII",
                _ => throw SqlFailure.Refused($"client_encoding {value}"),
            };
        }
        _localSettings[name] = value;
        if (!name.Equals("client_min_messages", StringComparison.OrdinalIgnoreCase))
            SettingChanged(name, value);
    }

    /// <summary>Every positive extra_float_digits means the shortest exact form since PostgreSQL 12.</summary>
    private static bool IsInert(string name, string value) => name.Equals("extra_float_digits", StringComparison.OrdinalIgnoreCase) && value is "1" or "2" or "3";

    /// <summary>What a SET or RESET says.</summary>
    /// <param name="Names">The settings that it changes.</param>
    /// <param name="Value">Its value where it is one word, number or string; null: longer, or the default.</param>
    /// <param name="IsLocal">SET LOCAL.</param>
    /// <param name="LocalSql">The same for the transaction only.</param>
    private sealed record Setting(IReadOnlyList<string> Names, string? Value, bool IsLocal, string LocalSql)
    {
        public static Setting Of(SqlStatement statement)
        {
            if (statement.Verb == SqlVerb.Reset)
            {
                var reset = statement.Word(1) == "ROLE" ? "role" : statement.Word(1) == "TIME" ? "TimeZone" : Dotted(statement, 1).Name;
                return new([reset], null, false, $"SET LOCAL {(reset == "role" ? "ROLE NONE" : $"{reset} TO DEFAULT")}");
            }
            var isLocal = statement.Word(1) == "LOCAL";
            var at = isLocal || statement.Word(1) == "SESSION" ? 2 : 1;
            if (statement.Word(at) == "CHARACTERISTICS")
            {
                var modes = statement.From(at + 3);
                string[] names = ["default_transaction_isolation", "default_transaction_read_only", "default_transaction_deferrable"];
                return new(names, null, false, Characteristics(statement, at + 3) ?? throw SqlFailure.Refused($"SET SESSION CHARACTERISTICS AS TRANSACTION {modes}"));
            }
            var sql = "SET LOCAL " + statement.From(at);
            if (statement.Word(at) == "TIME" && statement.Word(at + 1) == "ZONE")
                return new(["TimeZone"], One(statement, at + 2), isLocal, sql);
            if (statement.Word(at) == "ROLE")
                return new(["role"], null, isLocal, sql);
            if (statement.Word(at) == "NAMES")
                return new(["client_encoding"], One(statement, at + 1), isLocal, sql);
            if (statement.Word(at) is "SCHEMA" or "SEED" or "XML")
                return new([statement.Word(at) == "SCHEMA" ? "search_path" : "xmloption"], null, isLocal, sql);
            var (name, next) = Dotted(statement, at);
            return new([name], One(statement, next + 1), isLocal, sql);
        }

        private static (string Name, int Next) Dotted(SqlStatement statement, int at)
        {
            var name = statement.Name(at++);
            while (statement.Text(at) == ".")
            {
                name += "." + statement.Name(at + 1);
                at += 2;
            }
            return (name, at);
        }

        private static string? One(SqlStatement statement, int at) =>
            at != statement.Tokens.Count - 1 || statement.Word(at) == "DEFAULT" ? null : statement.Literal(at) ?? (statement.Tokens[at].Kind == SqlTokenKind.QuotedName ? statement.Name(at) : statement.Text(at));

        /// <summary>SET LOCAL knows no CHARACTERISTICS: the setting itself.</summary>
        private static string? Characteristics(SqlStatement statement, int at) => (statement.Word(at), statement.Word(at + 1), statement.Tokens.Count - at) switch
        {
            ("READ", "ONLY", 2) => "SET LOCAL default_transaction_read_only TO on",
            ("READ", "WRITE", 2) => "SET LOCAL default_transaction_read_only TO off",
            ("ISOLATION", "LEVEL", 3) => $"SET LOCAL default_transaction_isolation TO '{statement.Word(at + 2).ToLowerInvariant()}'",
            ("ISOLATION", "LEVEL", 4) => $"SET LOCAL default_transaction_isolation TO '{statement.Word(at + 2).ToLowerInvariant()} {statement.Word(at + 3).ToLowerInvariant()}'",
            _ => null,
        };
    }
}
