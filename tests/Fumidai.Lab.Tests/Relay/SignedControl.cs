using System.Text.Json;
using Fumidai.SessionManager;

namespace Fumidai.Lab.Tests;

/// <summary>The control plane as a client of the lab uses it, signed with the lab's own signer.</summary>
internal sealed class SignedControl(RelayFixture lab) : ISessionControl
{
    public ValueTask<IReadOnlyList<KeyValuePair<string, string>>> SignAsync(string streamUrl, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(streamUrl.Replace("wss://", "https://", StringComparison.Ordinal)));
        SigV4.Sign(request, [], lab.Keys, "ssmmessages", LabRegions.Main, lab.Context.Time.GetUtcNow());
        return ValueTask.FromResult<IReadOnlyList<KeyValuePair<string, string>>>([.. request.Headers.Select(header => new KeyValuePair<string, string>(header.Key, string.Join(',', header.Value)))]);
    }

    public async ValueTask<StreamTicket?> ResumeAsync(string sessionId, CancellationToken cancellationToken)
    {
        var (status, answer) = await CallAsync("ResumeSession", $"{{\"SessionId\":\"{sessionId}\"}}");
        return status == 200 ? Ticket(answer) : null;
    }

    public async ValueTask TerminateAsync(string sessionId, CancellationToken cancellationToken) => await CallAsync("TerminateSession", $"{{\"SessionId\":\"{sessionId}\"}}");

    public async Task<StreamTicket> StartAsync(string target, string document, string parameters)
    {
        var (status, answer) = await CallAsync("StartSession", $"{{\"Target\":\"{target}\",\"DocumentName\":\"{document}\",\"Parameters\":{parameters}}}");
        return status == 200 ? Ticket(answer) : throw new InvalidOperationException(answer.ToString());
    }

    public async Task<(int Status, JsonElement Answer)> CallAsync(string operation, string json)
    {
        var body = System.Text.Encoding.UTF8.GetBytes(json);
        using var request = new HttpRequestMessage(HttpMethod.Post, lab.Context.ApiAddress) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", "AmazonSSM." + operation);
        SigV4.Sign(request, body, lab.Keys, "ssm", LabRegions.Main, lab.Context.Time.GetUtcNow());
        using var http = new HttpClient();
        using var answer = await http.SendAsync(request, ServerFixture.Limit);
        using var parsed = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(ServerFixture.Limit));
        return ((int)answer.StatusCode, parsed.RootElement.Clone());
    }

    private static StreamTicket Ticket(JsonElement answer) => new(answer.GetProperty("SessionId").GetString()!, answer.GetProperty("TokenValue").GetString()!, answer.GetProperty("StreamUrl").GetString()!);
}
