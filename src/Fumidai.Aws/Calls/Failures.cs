using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using System.Xml;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace Fumidai.Aws;

/// <summary>Turns what an SDK call threw into an <see cref="AwsFailure"/>: one line, the operation, the code, AWS's words.</summary>
internal static class Failures
{
    private const int LongestText = 400;

    /// <param name="exception">What was thrown.</param>
    /// <param name="operation">E.g. <c>ssm:StartSession</c>.</param>
    /// <param name="host">Host (and port) that was asked.</param>
    /// <param name="now">This machine's time, told when AWS finds it wrong.</param>
    public static AwsFailure From(Exception exception, string operation, string host, DateTimeOffset now)
    {
        var chain = Chain(exception).ToList();
        if (chain.OfType<AwsFailure>().FirstOrDefault() is { } already)
            return already;
        if (chain.OfType<WebPageException>().FirstOrDefault() is { } page)
            return WebPage(page.Status, operation, host, exception);
        if (chain.OfType<AmazonServiceException>().FirstOrDefault(e => e.StatusCode != 0) is { } answer)
            return FromAnswer(answer, operation, host, now, exception);
        if (chain.Any(e => e is HttpRequestException or SocketException or AuthenticationException or TimeoutException or OperationCanceledException or IOException))
            return new AwsFailure(AwsFailureKind.Network, operation, null, $"{operation}: {Unreached(chain, host)}", exception);
        if (chain.Any(e => e is JsonException or XmlException or AmazonUnmarshallingException))
            return new AwsFailure(AwsFailureKind.Network, operation, null, $"{operation}: {host} gave an answer that is not AWS's", exception);
        return new AwsFailure(AwsFailureKind.Refused, operation, null, $"{operation}: {OneLine(exception.Message)}", exception);
    }

    /// <summary>The first line, without what AWS adds for machines (canonical strings hold tokens), cut at 400 characters.</summary>
    public static string OneLine(string? text)
    {
        text = (text ?? "").TrimStart();
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        if (end >= 0)
            text = text[..end];
        foreach (var machine in new[] { "Encoded authorization failure message", "The Canonical String for this request" })
        {
            if (text.IndexOf(machine, StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
                text = text[..at];
        }
        text = text.Trim();
        return text.Length <= LongestText ? text : text[..LongestText] + "…";
    }

    public static AwsFailureKind KindOf(string? code, HttpStatusCode status) => code switch
    {
        null or "" => status == HttpStatusCode.Forbidden ? AwsFailureKind.Permission : AwsFailureKind.Refused,
        "ExpiredToken" or "ExpiredTokenException" or "RequestExpired" or "UnrecognizedClientException" or "InvalidClientTokenId"
            or "InvalidSignatureException" or "SignatureDoesNotMatch" or "AuthFailure" or "IncompleteSignature" or "IncompleteSignatureException"
            or "MissingAuthenticationToken" or "MissingAuthenticationTokenException" or "InvalidAccessKeyId" or "OptInRequired"
            or "RequestTimeTooSkewed" or "TokenRefreshRequired" or "UnauthorizedException" or "InvalidGrantException"
            or "InvalidIdentityToken" or "IDPRejectedClaim" => AwsFailureKind.Credentials,
        "AccessDenied" or "AccessDeniedException" or "UnauthorizedOperation" or "AuthException" or "NotAuthorized" or "ForbiddenException" => AwsFailureKind.Permission,
        "Throttling" or "ThrottlingException" or "ThrottledException" or "RequestThrottled" or "RequestThrottledException"
            or "RequestLimitExceeded" or "TooManyRequestsException" or "SlowDown" or "SlowDownException" => AwsFailureKind.Throttled,
        "RegionDisabledException" => AwsFailureKind.Configuration,
        "DoesNotExistException" => AwsFailureKind.NotFound,
        _ when code.Contains("NotFound", StringComparison.Ordinal) || code.StartsWith("NoSuch", StringComparison.Ordinal)
            || code.EndsWith("ID.Malformed", StringComparison.OrdinalIgnoreCase) => AwsFailureKind.NotFound,
        _ => AwsFailureKind.Refused,
    };

    private static AwsFailure FromAnswer(AmazonServiceException answer, string operation, string host, DateTimeOffset now, Exception exception)
    {
        var text = answer.Message ?? "";
        var code = string.IsNullOrEmpty(answer.ErrorCode) || !answer.ErrorCode.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') ? null : answer.ErrorCode;
        if (RefusingWebPages.IsWebPage(text) || Chain(answer).OfType<HttpErrorResponseException>().Any(e => e.Response?.ContentType?.StartsWith("text/html", StringComparison.OrdinalIgnoreCase) == true))
            return WebPage(answer.StatusCode, operation, host, exception);
        if (code is null && Chain(answer).Any(e => e is JsonException or XmlException))
            return new AwsFailure(AwsFailureKind.Network, operation, null, $"{operation}: {host} gave an answer that is not AWS's", exception);
        var kind = KindOf(code, answer.StatusCode);
        // Where AWS gave no text the SDK writes one of its own, which says nothing.
        var said = text.StartsWith("The service returned an error", StringComparison.Ordinal) ? "" : OneLine(text);
        var what = (code, said.Length) switch
        {
            (null, 0) => $"HTTP {(int)answer.StatusCode}",
            (null, _) => $"HTTP {(int)answer.StatusCode}: {said}",
            (_, 0) => code,
            _ => $"{code}: {said}",
        };
        if (IsAboutTheClock(code, text))
            what = $"{what.TrimEnd('.')}; the clock of this machine says {now.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, is it right?";
        return new AwsFailure(kind, operation, code, $"{operation}: {what}", exception);
    }

    private static AwsFailure WebPage(HttpStatusCode status, string operation, string host, Exception exception) => new(AwsFailureKind.Network, operation, null,
        $"{operation}: {host} answered HTTP {(int)status} with a web page, which is not AWS's answer (a proxy or sign-in portal in between?)", exception);

    private static bool IsAboutTheClock(string? code, string text) => code is "RequestTimeTooSkewed"
        || code is "InvalidSignatureException" or "SignatureDoesNotMatch" or "RequestExpired" or "AuthFailure"
            && (text.Contains("Signature expired", StringComparison.OrdinalIgnoreCase)
                || text.Contains("not yet current", StringComparison.OrdinalIgnoreCase)
                || text.Contains("Request has expired", StringComparison.OrdinalIgnoreCase));

    private static string Unreached(List<Exception> chain, string host)
    {
        // First, since a wait that was cut off holds a SocketException (OperationAborted) as well.
        if (chain.Any(e => e is OperationCanceledException or TimeoutException))
            return $"{host} did not answer in time";
        if (chain.OfType<SocketException>().FirstOrDefault() is { } socket)
        {
            return socket.SocketErrorCode is SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData
                ? $"the name {host} does not resolve"
                : $"cannot connect to {host}: {socket.SocketErrorCode}";
        }
        if (chain.OfType<AuthenticationException>().FirstOrDefault() is { } tls)
            return $"TLS with {host} failed: {OneLine(tls.Message)} (a proxy that re-signs? set AWS_CA_BUNDLE to its root)";
        if (chain.OfType<HttpRequestException>().FirstOrDefault() is { } http)
        {
            return http.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => $"the name {host} does not resolve",
                HttpRequestError.ProxyTunnelError => $"the proxy did not let us through to {host}{(http.StatusCode is { } s ? $" (HTTP {(int)s})" : "")}",
                _ => $"cannot reach {host}: {OneLine(http.Message)}",
            };
        }
        return $"the connection to {host} broke: {OneLine(chain[^1].Message)}";
    }

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
            if (exception is AggregateException { InnerExceptions: [_, _, ..] many })
            {
                foreach (var other in many.Skip(1))
                    yield return other;
            }
        }
    }
}
