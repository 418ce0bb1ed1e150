using System.Text;
using Fumidai.Aws;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fumidai.Tests;

public sealed class SecretLoginTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<string, (string User, string Password)> _stages = new() { ["AWSCURRENT"] = ("app", "old") };
    private readonly List<string> _read = [];
    private readonly List<SecretBytes> _given = [];

    private SecretLogin Login(string? user = null) => new(
        (stage, _) =>
        {
            _read.Add(stage);
            if (!_stages.TryGetValue(stage, out var held))
                return Task.FromResult<DatabaseCredential?>(null);
            _given.Add(new SecretBytes(Encoding.UTF8.GetBytes(held.Password)));
            return Task.FromResult<DatabaseCredential?>(new DatabaseCredential(held.User, _given[^1]));
        },
        "arn:aws:secretsmanager:eu-west-1:1:secret:rds!cluster-x-abcdef", user, _time);

    private static string Text(DatabaseCredential? credential) => credential is null ? "none" : $"{credential.User}/{Encoding.UTF8.GetString(credential.Password.Memory.Span)}";

    [Fact]
    public async Task A_pool_that_fills_up_asks_once_and_a_minute_later_the_bytes_are_zeros()
    {
        using var login = Login();
        for (var i = 0; i < 10; i++)
        {
            using var taken = await login.TakeAsync("x", CancellationToken.None);
            Assert.Equal("app/old", Text(taken));
        }
        Assert.Single(_read);

        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.All(_given, bytes => Assert.True(bytes.Memory.Span.IndexOfAnyExcept((byte)0) < 0));
        Assert.Equal("app", login.User);
        using var again = await login.TakeAsync("x", CancellationToken.None);
        Assert.Equal(2, _read.Count);
    }

    [Fact]
    public async Task A_refused_password_is_read_afresh_and_the_new_one_serves_the_next_as_well()
    {
        using var login = Login();
        using var refused = await login.TakeAsync("x", CancellationToken.None);
        _stages["AWSCURRENT"] = ("app", "new");
        _stages["AWSPREVIOUS"] = ("app", "old");

        Assert.Equal("app/new", Text(await login.TakeAnotherAsync(refused, CancellationToken.None)));
        Assert.Equal("app/new", Text(await login.TakeAsync("x", CancellationToken.None)));
        Assert.Equal(["AWSCURRENT", "AWSCURRENT"], _read);
    }

    [Fact]
    public async Task In_the_middle_of_a_rotation_the_pending_one_is_right_even_with_another_user()
    {
        using var login = Login();
        using var refused = await login.TakeAsync("x", CancellationToken.None);
        _stages["AWSPENDING"] = ("app_clone", "pending");
        _stages["AWSPREVIOUS"] = ("app", "older");

        Assert.Equal("app_clone/pending", Text(await login.TakeAnotherAsync(refused, CancellationToken.None)));
    }

    [Fact]
    public async Task After_a_rotation_that_the_database_has_not_seen_the_previous_one_is_right()
    {
        using var login = Login();
        using var refused = await login.TakeAsync("x", CancellationToken.None);
        // Rotation leaves AWSPENDING on the version that became current.
        _stages["AWSPENDING"] = ("app", "old");
        _stages["AWSPREVIOUS"] = ("app", "older");

        Assert.Equal("app/older", Text(await login.TakeAnotherAsync(refused, CancellationToken.None)));
    }

    [Fact]
    public async Task Where_every_stage_holds_the_refused_one_there_is_no_other()
    {
        using var login = Login();
        using var refused = await login.TakeAsync("x", CancellationToken.None);

        Assert.Null(await login.TakeAnotherAsync(refused, CancellationToken.None));
    }

    [Fact]
    public async Task One_that_another_connection_has_renewed_meanwhile_is_taken_without_asking()
    {
        using var login = Login();
        using var refused = await login.TakeAsync("x", CancellationToken.None);
        _stages["AWSCURRENT"] = ("app", "new");
        using var first = await login.TakeAnotherAsync(refused, CancellationToken.None);

        Assert.Equal("app/new", Text(await login.TakeAnotherAsync(refused, CancellationToken.None)));
        Assert.Equal(2, _read.Count);
    }

    [Fact]
    public void A_source_is_named_without_the_secret_s_random_ending()
    {
        using var login = Login();
        Assert.Equal("secret rds!cluster-x", login.Source);
    }
}
