// From a laptop to a private Aurora PostgreSQL, in a program: no VPN, no key file, no password in the code.
using Fumidai;
using Fumidai.Npgsql;

await using var tunnel = await Tunnel.OpenAsync(args is [var target, ..] ? target : null);
await using var dataSource = await tunnel.CreateDataSourceAsync();

await using var command = dataSource.CreateCommand("select current_user, ssl, version() from pg_stat_ssl where pid = pg_backend_pid()");
await using var reader = await command.ExecuteReaderAsync();
await reader.ReadAsync();
Console.WriteLine($"{tunnel.Target.Name} via {tunnel.RouteName} {tunnel.Bastion}");
Console.WriteLine($"user {reader.GetString(0)}, TLS {(reader.GetBoolean(1) ? "on" : "off")}, {reader.GetString(2)}");
