using System.Text;
using Xunit;

namespace Fumidai.Postgres.Tests;

/// <summary>Against RFC 7677's own example exchange, and ends against each other with faults between.</summary>
public sealed class ScramTests
{
    // RFC 7677 §3; PostgreSQL's empty user name would be n=, so the example's own transcript is rebuilt through the nonce only where it fits.
    [Fact]
    public void The_keys_are_those_of_RFC_7677_s_example()
    {
        var salted = Scram.Salted("pencil"u8, Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
        const string Transcript = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        var proof = Scram.ClientKey(salted);
        Scram.Xor(proof, Scram.Sign(System.Security.Cryptography.SHA256.HashData(proof), Transcript));

        Assert.Equal("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", Convert.ToBase64String(proof));
        Assert.Equal("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Convert.ToBase64String(Scram.Sign(Scram.ServerKey(salted), Transcript)));
    }

    [Theory]
    [InlineData("r=other,s=AAAA,i=4096")]
    [InlineData("r=nonce,s=AAAA,i=4096")]
    [InlineData("r=nonceX,s=AAAA,i=0")]
    [InlineData("r=nonceX,s=AAAA,i=99999999")]
    [InlineData("r=nonceX,s=!,i=4096")]
    [InlineData("r=nonceX,i=4096")]
    [InlineData("")]
    public void A_server_s_nonsense_is_refused(string serverFirst) =>
        Assert.Throws<PostgresProtocolException>(() => new ScramClient(null, false, "nonce").Answer(Encoding.ASCII.GetBytes(serverFirst), "pw"u8));

    [Fact]
    public void A_server_that_does_not_know_the_password_proves_nothing()
    {
        var client = new ScramClient(null, false, "nonce");
        client.Answer("r=nonceX,s=AAAA,i=4096"u8, "pw"u8);

        Assert.False(client.Proves(Encoding.ASCII.GetBytes("v=" + Convert.ToBase64String(new byte[32]))));
    }

    [Theory]
    [InlineData("IX", "I\u00ADX")] // RFC 4013 §3: soft hyphen mapped to nothing
    [InlineData("a b", "a\u00A0b")] // non-ASCII space
    public void A_password_is_prepared_as_PostgreSQL_prepares_it(string prepared, string typed) =>
        Assert.Equal(prepared, Encoding.UTF8.GetString(SaslPrep.Prepare(Encoding.UTF8.GetBytes(typed))));

    [Fact]
    public void A_thousand_cancel_keys_stay_apart_and_keep_the_server_s_process_id()
    {
        var keys = new CancelKeys();
        // Servers behind one name may hand out the very same key.
        var server = new CancelKey(7, [1, 2, 3, 4]);
        var issued = Enumerable.Range(0, 1000).Select(_ => keys.Issue(server)).ToArray();

        Assert.Equal(1000, issued.Distinct().Count());
        Assert.All(issued, key => Assert.Equal(7, key.ProcessId));
        Assert.All(issued, key => Assert.Equal(server, keys.Find(key)));
        Assert.Null(keys.Find(server));
        foreach (var key in issued)
            keys.Forget(key);
        Assert.Equal(0, keys.Count);
    }
}
