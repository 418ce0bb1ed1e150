using System.Text;
using Xunit;

namespace Fumidai.Lab.Tests;

public sealed class ScramVerifierTests
{
    /// <summary>RFC 7677 §3: user "user", password "pencil"; its client proof and server signature follow from these two keys.</summary>
    [Fact]
    public void The_verifier_holds_the_keys_of_rfc_7677()
    {
        var verifier = ScramVerifier.For("pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="));
        Assert.Equal("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", verifier);
        // The server signature of the RFC, made from the second key.
        var message = Encoding.ASCII.GetBytes("n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        var key = Convert.FromBase64String(verifier[(verifier.LastIndexOf(':') + 1)..]);
        Assert.Equal("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Convert.ToBase64String(System.Security.Cryptography.HMACSHA256.HashData(key, message)));
    }
}
