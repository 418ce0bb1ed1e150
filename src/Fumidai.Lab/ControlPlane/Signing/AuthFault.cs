namespace Fumidai.Lab;

/// <summary>Why a request could not be attributed to anybody.</summary>
internal enum AuthFault
{
    Missing,
    Malformed,
    UnknownKey,
    BadSignature,
    ExpiredToken,
    /// <summary>Signed too long ago, or a presigned URL ran out.</summary>
    SignatureExpired,
    /// <summary>Signed for a time to come.</summary>
    SignatureFromFuture,
    WrongService,
    /// <summary>A region that the account has not enabled.</summary>
    RegionNotEnabled,
    NotAllowed,
}

/// <summary>AWS's names for these faults: they differ by protocol (aws-facts §1, first table).</summary>
internal static class AuthErrors
{
    /// <summary>The error of this protocol's family. <paramref name="detail"/> replaces the text where AWS's own says what was wrong.</summary>
    public static AwsError Of(AuthFault fault, AwsProtocol protocol, string? detail = null) => protocol switch
    {
        AwsProtocol.Ec2 => fault switch
        {
            AuthFault.Missing => new("MissingParameter", "The request must contain the parameter AWSAccessKeyId"),
            AuthFault.Malformed => new("IncompleteSignature", detail ?? "The request signature does not conform to AWS standards."),
            AuthFault.ExpiredToken or AuthFault.SignatureExpired => new("RequestExpired", "Request has expired."),
            AuthFault.NotAllowed => new("UnauthorizedOperation", $"You are not authorized to perform this operation. {detail}", 403),
            _ => new("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
        },
        AwsProtocol.Query => fault switch
        {
            AuthFault.Missing => new("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
            AuthFault.Malformed => new("IncompleteSignature", detail ?? "The request signature does not conform to AWS standards."),
            AuthFault.UnknownKey or AuthFault.RegionNotEnabled => new("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
            AuthFault.ExpiredToken => new("ExpiredToken", "The security token included in the request is expired", 403),
            AuthFault.NotAllowed => new("AccessDenied", detail ?? "Access denied", 403),
            _ => new("SignatureDoesNotMatch", detail ?? Mismatch, 403),
        },
        _ => fault switch
        {
            AuthFault.Missing => new("MissingAuthenticationTokenException", "Missing Authentication Token"),
            AuthFault.Malformed => new("IncompleteSignatureException", detail ?? "The request signature does not conform to AWS standards."),
            AuthFault.UnknownKey or AuthFault.RegionNotEnabled => new("UnrecognizedClientException", "The security token included in the request is invalid."),
            AuthFault.ExpiredToken => new("ExpiredTokenException", "The security token included in the request is expired"),
            AuthFault.NotAllowed => new("AccessDeniedException", detail ?? "Access denied"),
            _ => new("InvalidSignatureException", detail ?? Mismatch),
        },
    };

    private const string Mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
}
