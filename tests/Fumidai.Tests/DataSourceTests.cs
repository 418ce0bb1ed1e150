using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Fumidai.Aws;
using Fumidai.Npgsql;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Xunit;

namespace Fumidai.Tests;

public sealed class DataSourceTests
{
    private const string RealName = "app.cluster-x.eu-west-1.rds.amazonaws.com";

    [Fact]
    public async Task The_password_goes_to_the_real_name_s_certificate_and_to_it_alone()
    {
        using var folder = new Requests.Folder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Certificate("CN=root", key, isRoot: true);
        folder.Write("roots.pem", root.ExportCertificatePem());
        Passfile(folder, "s3cret");

        Assert.Equal("s3cret", await PasswordToldAsync(folder, root, RealName));
        Assert.Null(await PasswordToldAsync(folder, root, "127.0.0.1"));
        Assert.Null(await PasswordToldAsync(folder, root, "app.cluster-x.eu-west-1.rds.amazonaws.com.evil.example"));
        using var other = Certificate("CN=other", key, isRoot: true);
        Assert.Null(await PasswordToldAsync(folder, other, RealName));
    }

    [Fact]
    public async Task One_look_up_serves_those_that_open_together_and_a_later_one_sees_the_rotated_secret()
    {
        var time = new FakeTimeProvider();
        var asked = 0;
        var password = new CurrentPassword(Login("first"), _ => Task.FromResult(Login($"rotated {++asked}")), time);

        Assert.Equal("first", await password.GetAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromSeconds(16));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => password.GetAsync(CancellationToken.None).AsTask())), p => Assert.Equal("rotated 1", p));
        Assert.Equal("rotated 1", password.Get());
        time.Advance(TimeSpan.FromHours(8));
        Assert.Equal("rotated 2", password.Get());
    }

    [Fact]
    public async Task A_failed_look_up_is_not_remembered()
    {
        var time = new FakeTimeProvider();
        var fails = true;
        var password = new CurrentPassword(Login("first"), _ => fails ? Task.FromException<ClientEnvironment>(new FumidaiException(Reason.SignIn, "throttled")) : Task.FromResult(Login("second")), time);
        time.Advance(TimeSpan.FromMinutes(1));

        await Assert.ThrowsAsync<FumidaiException>(() => password.GetAsync(CancellationToken.None).AsTask());
        fails = false;

        Assert.Equal("second", await password.GetAsync(CancellationToken.None));
    }

    private static ClientEnvironment Login(string password) => new() { Variables = new Dictionary<string, string>(), Password = new Secret(password), Source = "secret" };

    private static void Passfile(Requests.Folder folder, string password)
    {
        var file = folder.Write("pgpass", $"{RealName}:5432:*:app:{password}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>What a server with such a certificate gets told as password; null: the client left before.</summary>
    private static async Task<string?> PasswordToldAsync(Requests.Folder folder, X509Certificate2 root, string certificateName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Certificate($"CN={certificateName}", key, isRoot: false, root, certificateName);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var told = ServeAsync(listener, leaf);
        var settings = Requests.Settings(name => name == "PGPASSFILE" ? folder.File("pgpass") : null) with
        {
            CommandLine = new CommandLineSettings { User = "app", Database = "app", CaFile = folder.File("roots.pem") },
        };
        var route = new MemoryRoute(channel => BridgeAsync(channel, (IPEndPoint)listener.LocalEndpoint));
        await using var tunnel = await Tunnel.OpenAsync(
            Requests.To(new HostPort(RealName, 5432), database: Requests.Cluster(), settings: settings), 0, "eu-west-1", (_, _) => Task.FromResult<IRoute>(route), TestContext.Current.CancellationToken);
        await using var dataSource = await tunnel.CreateDataSourceAsync(cancellationToken: TestContext.Current.CancellationToken);

        var failed = await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await dataSource.OpenConnectionAsync(TestContext.Current.CancellationToken));
        var password = await told.WaitAsync(Requests.Guard);
        if (password is null)
            Assert.IsType<AuthenticationException>(failed.InnerException);
        Assert.DoesNotContain("s3cret", failed.ToString(), StringComparison.Ordinal);
        return password;
    }

    private static async Task<string?> ServeAsync(TcpListener listener, X509Certificate2 certificate)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        await stream.ReadExactlyAsync(new byte[8]);
        await stream.WriteAsync("S"u8.ToArray());
        await using var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [new("postgresql")] });
            var length = new byte[4];
            await tls.ReadExactlyAsync(length);
            await tls.ReadExactlyAsync(new byte[System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(length) - 4]);
            await tls.WriteAsync(new byte[] { (byte)'R', 0, 0, 0, 8, 0, 0, 0, 3 }); // cleartext password, please
            var head = new byte[5];
            await tls.ReadExactlyAsync(head);
            var body = new byte[System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4];
            await tls.ReadExactlyAsync(body);
            var refusal = "SFATAL\0C28P01\0Mno\0\0"u8.ToArray();
            await tls.WriteAsync((byte[])[(byte)'E', 0, 0, 0, (byte)(4 + refusal.Length), .. refusal]);
            return Encoding.UTF8.GetString(body.AsSpan(0, body.Length - 1));
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return null;
        }
    }

    private static async Task BridgeAsync(MemoryChannel channel, IPEndPoint server)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server);
        var stream = client.GetStream();
        var up = UpAsync();
        try
        {
            await stream.CopyToAsync(channel.Far.Output.AsStream(leaveOpen: true));
            await channel.Far.Output.CompleteAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            channel.Far.Fail(e);
        }
        await up;
        channel.Far.Read();

        async Task UpAsync()
        {
            await channel.Far.Input.CopyToAsync(stream).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            client.Client.Shutdown(SocketShutdown.Send);
        }
    }

    private static X509Certificate2 Certificate(string subject, ECDsa key, bool isRoot, X509Certificate2? issuer = null, string? name = null)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isRoot, false, 0, true));
        var (from, to) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        if (name is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            if (IPAddress.TryParse(name, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
        }
        if (issuer is null)
            return request.CreateSelfSigned(from, to);
        using var signed = request.Create(issuer, from.AddMinutes(1), to.AddMinutes(-1), RandomNumberGenerator.GetBytes(8));
        using var withKey = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
