using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fumidai.Aws;
using Xunit;

namespace Fumidai.Tests;

public sealed class SignInTests : IDisposable
{
    private const string Arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!cluster-1a2b-AbCdEf";
    private const string Endpoint = "app.cluster-x.eu-west-1.rds.amazonaws.com";

    private readonly Requests.Folder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Target Cluster(string? secret) => new() { Name = "app", Address = new(Endpoint, 5432), Database = Requests.Cluster(secret: secret) };

    private static readonly TunnelSettings Nothing = new() { Via = "auto", Port = 0, Auth = "auto" };

    private string? Home(string name) => name == "HOME" ? _folder.Path : null;

    private static async Task<(FoundLogin Login, List<string> Read)> FindAsync(Target target, TunnelSettings settings, Func<string, string?> environment)
    {
        var read = new List<string>();
        var login = await new LoginChoice(target, settings, 15432, environment).FindAsync(
            (id, _) =>
            {
                read.Add(id);
                return Task.FromResult(new DatabaseLogin("master", new Secret("from-secret")));
            },
            (user, _) => Task.FromResult(new Secret("token for " + user)),
            CancellationToken.None);
        return (login, read);
    }

    [Theory]
    [InlineData("iam", "app", true, "token for app")]
    [InlineData("auto", "app", true, "token for app")] // a named user without a password here
    [InlineData("auto", null, true, "from-secret")] // RDS keeps the master's
    [InlineData("secret", null, true, "from-secret")]
    public async Task The_way_to_sign_in_is_chosen_by_what_was_asked_and_what_the_cluster_offers(string auth, string? user, bool iam, string password)
    {
        var target = Cluster(Arn);
        target = target with { Database = target.Database! with { IsIamEnabled = iam } };

        var (login, _) = await FindAsync(target, Nothing with { Auth = auth, User = user }, Home);

        Assert.Equal(password, login.Password!.Reveal());
    }

    [Fact]
    public async Task IAM_where_it_is_not_enabled_is_told_with_the_command_that_enables_it()
    {
        var e = await Assert.ThrowsAsync<FumidaiException>(() => FindAsync(Cluster(Arn), Nothing with { Auth = "iam", User = "app" }, Home));

        Assert.Equal(Reason.SignIn, e.Reason);
        Assert.Contains("--enable-iam-database-authentication", e.Next!, StringComparison.Ordinal);
    }

    private void WritePassfile(string text)
    {
        _folder.Write(".pgpass", text);
        File.SetUnixFileMode(_folder.File(".pgpass"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_named_secret_comes_before_everything()
    {
        var (login, read) = await FindAsync(Cluster(Arn), Nothing with { Secret = "mine" }, n => n == "PGPASSWORD" ? "x" : null);
        Assert.Equal(("master", "from-secret", "secret mine"), (login.User, login.Password?.Reveal(), login.Source));
        Assert.Equal(["mine"], read);
    }

    [Fact]
    public async Task The_managed_secret_is_taken_when_no_user_is_named_even_beside_a_lone_PGPASSWORD()
    {
        var (login, read) = await FindAsync(Cluster(Arn), Nothing, n => n == "PGPASSWORD" ? "x" : null);
        Assert.Equal(("master", "secret rds!cluster-1a2b"), (login.User, login.Source));
        Assert.Equal([Arn], read);
    }

    [Fact]
    public async Task A_named_user_with_a_password_in_the_environment_reads_no_secret()
    {
        var (login, read) = await FindAsync(Cluster(Arn), Nothing with { User = "app" }, n => n == "PGPASSWORD" ? "x" : null);
        Assert.Equal(("app", null, "environment"), (login.User, login.Password, login.Source));
        Assert.Empty(read);
        var (whole, none) = await FindAsync(Cluster(Arn), Nothing, n => n switch { "PGPASSWORD" => "x", "PGUSER" => "me", _ => null });
        Assert.Equal(("me", "environment"), (whole.User, whole.Source));
        Assert.Empty(none);
    }

    [Fact]
    public async Task A_passfile_line_for_the_endpoint_is_found_by_the_local_port_and_by_the_real_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "passfile modes are a Unix matter");
        WritePassfile($"{Endpoint}:15432:postgres:app:local\n");
        var (byLocal, _) = await FindAsync(Cluster(Arn), Nothing with { User = "app" }, Home);
        Assert.Null(byLocal.Password); // libpq finds that line itself
        Assert.StartsWith("passfile ", byLocal.Source, StringComparison.Ordinal);
        WritePassfile($"{Endpoint}:5432:*:app:re\\:al\n");
        var (byReal, _) = await FindAsync(Cluster(Arn), Nothing with { User = "app" }, Home);
        Assert.Equal("re:al", byReal.Password?.Reveal());
    }

    [Fact]
    public async Task A_passfile_that_others_can_read_is_ignored_as_libpq_does()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "passfile modes are a Unix matter");
        WritePassfile("*:*:*:*:open\n");
        File.SetUnixFileMode(_folder.File(".pgpass"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        var (login, _) = await FindAsync(Cluster(null), Nothing, Home);
        Assert.Equal(("master", null, "the client asks"), (login.User, login.Password, login.Source));
    }

    [Fact]
    public async Task The_master_user_named_without_a_password_of_his_own_still_gets_the_managed_one()
    {
        var (login, read) = await FindAsync(Cluster(Arn), Nothing with { User = "master" }, Home);
        Assert.Equal("from-secret", login.Password?.Reveal());
        Assert.Single(read);
        var (other, none) = await FindAsync(Cluster(Arn), Nothing with { User = "app" }, Home);
        Assert.Equal(("app", null, "the client asks"), (other.User, other.Password, other.Source));
        Assert.Empty(none);
    }

    [Theory]
    [InlineData("h:1:d:u:secret", "secret")]
    [InlineData("*:*:*:*:any", "any")]
    [InlineData(@"h:1:d:u:a\:b\\c", @"a:b\c")]
    [InlineData("h:1:d:u:token:cut", "token")]
    [InlineData("h:2:d:u:no\nh:1:d:u:second", "second")]
    [InlineData("h:1:d:u:first\nh:1:d:u:second", "first")]
    [InlineData("#h:1:d:u:comment", null)]
    [InlineData(@"\*:1:d:u:literal star", null)]
    [InlineData("h:1:d", null)]
    [InlineData("", null)]
    public void A_passfile_is_read_as_libpq_reads_it(string text, string? password) =>
        Assert.Equal(password, Passfile.Parse(text.Split('\n')).Find("h", 1, "d", "u")?.Reveal());

    [Fact]
    public void Names_in_a_passfile_may_hold_escaped_colons() =>
        Assert.Equal("p", Passfile.Parse([@"fd00\:\:1:1:a\\b:u:p"]).Find("fd00::1", 1, @"a\b", "u")?.Reveal());

    private static Dictionary<string, string> Variables(Target target, TunnelSettings? settings = null, Func<string, string?>? environment = null) => SignIn.Variables(
        target, settings ?? Nothing, new FoundLogin("me", new Secret("s3cret"), "secret x"), new IPEndPoint(IPAddress.Loopback, 15432), "/cache/roots.pem", environment ?? (_ => null));

    [Fact]
    public void The_client_gets_the_real_name_the_local_address_and_full_verification()
    {
        var variables = Variables(Cluster(Arn));
        Assert.Equal(Endpoint, variables["PGHOST"]);
        Assert.Equal(("127.0.0.1", "15432", "me", "postgres"), (variables["PGHOSTADDR"], variables["PGPORT"], variables["PGUSER"], variables["PGDATABASE"]));
        Assert.Equal(("verify-full", "/cache/roots.pem"), (variables["PGSSLMODE"], variables["PGSSLROOTCERT"]));
        Assert.DoesNotContain("s3cret", string.Join(' ', variables.Values), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flag", "env", "flag")]
    [InlineData(null, "env", "env")]
    [InlineData(null, null, "postgres")]
    public void The_database_is_the_named_one_then_the_environment_s_then_the_cluster_s(string? flag, string? variable, string expected) =>
        Assert.Equal(expected, Variables(Cluster(Arn), Nothing with { Database = flag }, n => n == "PGDATABASE" ? variable : null)["PGDATABASE"]);

    [Theory]
    [InlineData(0.5, null, "30")]
    [InlineData(0.0, null, "75")]
    [InlineData(0.5, "5", "30")]
    [InlineData(0.5, "120", "120")]
    [InlineData(0.5, "0", "0")]
    public void The_connect_timeout_outlasts_a_cluster_that_resumes(double minCapacity, string? given, string expected) =>
        Assert.Equal(expected, Variables(Cluster(Arn) with { Database = Requests.Cluster(minCapacity: minCapacity) }, null, n => n == "PGCONNECT_TIMEOUT" ? given : null)["PGCONNECT_TIMEOUT"]);

    private string? Cache(string name) => name == "XDG_CACHE_HOME" ? _folder.File("cache") : null;

    [Fact]
    public void The_shipped_roots_are_written_once_and_repaired_when_damaged()
    {
        var path = RootsFile.Write(null, Cache);
        Assert.True(Path.IsPathFullyQualified(path));
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(path);
        Assert.True(roots.Count > 50, $"{roots.Count} roots");
        var written = File.GetLastWriteTimeUtc(path);
        File.SetLastWriteTimeUtc(path, written.AddHours(-1));
        Assert.Equal(path, RootsFile.Write(null, Cache));
        Assert.Equal(written.AddHours(-1), File.GetLastWriteTimeUtc(path));
        File.WriteAllText(path, "cut");
        Assert.Equal(path, RootsFile.Write(null, Cache));
        Assert.Equal(RootsFile.Shipped(), File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_folder.File("cache/fumidai")));
    }

    [Fact]
    public void The_roots_of_an_endpoint_that_is_not_AWS_are_added_without_a_key_that_lies_beside_them()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var authority = new CertificateRequest("CN=lab", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var file = _folder.Write("lab.pem", authority.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
        var text = File.ReadAllText(RootsFile.Write(file, Cache));
        Assert.Contains(authority.ExportCertificatePem(), text, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE", text, StringComparison.Ordinal);
        Assert.NotEqual(RootsFile.Write(file, Cache), RootsFile.Write(null, Cache));
    }

    [Fact]
    public void A_named_file_must_hold_certificates()
    {
        Assert.Equal(Reason.Configuration, Assert.Throws<FumidaiException>(() => RootsFile.Checked(_folder.File("none.pem"))).Reason);
        Assert.Equal(Reason.Configuration, Assert.Throws<FumidaiException>(() => RootsFile.Checked(_folder.Write("empty.pem", "hello"))).Reason);
        var good = RootsFile.Write(null, Cache);
        Assert.Equal(good, RootsFile.Checked(good));
    }
}
