using System.Net;

namespace Fumidai.Aws;

/// <summary>A web page with the status of success or refusal: some answers of AWS would be read from it as empty lists.</summary>
internal sealed class WebPageException(HttpStatusCode status) : Exception($"HTTP {(int)status} with a web page")
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>
/// Lets no web page reach the SDK. Those of failing servers (5xx) pass, to be tried again. The body decides: emulators send JSON as text/html.
/// </summary>
internal sealed class RefusingWebPages(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public static bool IsWebPage(string text) =>
        text.Contains("<html", StringComparison.OrdinalIgnoreCase) || text.TrimStart().StartsWith("<!DOCTYPE html", StringComparison.OrdinalIgnoreCase);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (answer.Content.Headers.ContentType?.MediaType != "text/html" || (int)answer.StatusCode >= 500)
            return answer;
        // The content is kept by the first reading, so the SDK can read it again.
        if (!IsWebPage(await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false)))
            return answer;
        answer.Dispose();
        throw new WebPageException(answer.StatusCode);
    }
}
