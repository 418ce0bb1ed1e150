using System.Collections.Concurrent;
using Fumidai.Aws;

namespace Fumidai.Tests;

/// <summary>What several tests start from.</summary>
internal static class Requests
{
    internal static Settings Settings(Func<string, string?>? environment = null) => new()
    {
        CommandLine = new CommandLineSettings(),
        Aws = new AwsSettings(),
        Environment = environment ?? (_ => null),
    };

    internal static TunnelRequest To(HostPort address, IProgress<TunnelEvent>? events = null, Database? database = null, TimeProvider? time = null, Settings? settings = null) => new()
    {
        Target = new Target { Name = database is null ? $"host/{address}" : "cluster/app", Address = address, Database = database },
        Settings = settings ?? Settings(),
        Access = null!, // these tests never ask AWS; one that did would fail here
        Events = events,
        Time = time ?? TimeProvider.System,
    };

    internal static Database Cluster(string id = "app", double? minCapacity = 0.5, string? secret = null, string? vpc = "vpc-1") => new()
    {
        Kind = DatabaseKind.Cluster,
        Id = id,
        Arn = $"arn:aws:rds:eu-west-1:111122223333:cluster:{id}",
        Engine = "aurora-postgresql",
        Status = "available",
        Endpoint = $"{id}.cluster-x.eu-west-1.rds.amazonaws.com",
        Port = 5432,
        VpcId = vpc,
        SecurityGroupIds = ["sg-db"],
        MasterUsername = "master",
        MasterSecretArn = secret,
        MinCapacity = minCapacity,
    };

    /// <summary>A folder of the test's own, gone with it.</summary>
    internal sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("fumidai-test-").FullName;

        public string File(string name) => System.IO.Path.Combine(Path, name);

        public string Write(string name, string text)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(File(name))!);
            System.IO.File.WriteAllText(File(name), text);
            return File(name);
        }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }

    /// <summary>Keeps what was told, in order, and lets a test wait for a kind of event.</summary>
    internal sealed class Heard : IProgress<TunnelEvent>
    {
        private readonly ConcurrentQueue<TunnelEvent> _events = new();
        private readonly ConcurrentDictionary<string, TaskCompletionSource<TunnelEvent>> _waiting = new();

        public IReadOnlyCollection<TunnelEvent> All => _events;

        public void Report(TunnelEvent value)
        {
            _events.Enqueue(value);
            Waiter(value.Kind).TrySetResult(value);
        }

        public Task<TunnelEvent> FirstAsync(string kind) => Waiter(kind).Task.WaitAsync(Guard);

        private TaskCompletionSource<TunnelEvent> Waiter(string kind) =>
            _waiting.GetOrAdd(kind, _ => new TaskCompletionSource<TunnelEvent>(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    /// <summary>Only a guard: a test that is right never waits for it.</summary>
    internal static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);
}
