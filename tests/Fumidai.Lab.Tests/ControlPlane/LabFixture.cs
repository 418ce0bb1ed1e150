using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>A lab of the control plane alone (nothing runs behind the model), and signed calls to it.</summary>
public sealed class LabFixture : IAsyncLifetime
{
    private readonly HttpClient _http = new();

    internal LabHost Host { get; private set; } = null!;

    internal ConcurrentQueue<string> Calls { get; } = new();

    internal Uri Address => Host.Context.ApiAddress;

    public async ValueTask InitializeAsync() =>
        Host = await LabHost.StartAsync(new LabOptions { OnCall = Calls.Enqueue }, [], CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Host.DisposeAsync();
    }

    /// <summary>The main account's user.</summary>
    internal SigningKeys Main => KeysOf(LabAccounts.Main);

    internal SigningKeys Other => KeysOf(LabAccounts.Other);

    private SigningKeys KeysOf(string account) => Host.Context.Model.Read(m => m.Users.Values.First(u => u.Account == account)) is var user
        ? new SigningKeys(user.AccessKeyId, user.SecretAccessKey, null)
        : throw new InvalidOperationException();

    /// <summary>A query or ec2 call: parameters as pairs.</summary>
    internal async Task<LabAnswer> FormAsync(string service, string version, string operation, IReadOnlyList<(string Name, string Value)>? parameters = null,
        SigningKeys? keys = null, string region = LabRegions.Main, DateTimeOffset? signedAt = null)
    {
        var pairs = new List<KeyValuePair<string, string>> { new("Action", operation), new("Version", version) };
        pairs.AddRange((parameters ?? []).Select(p => new KeyValuePair<string, string>(p.Name, p.Value)));
        using var content = new FormUrlEncodedContent(pairs);
        var body = await content.ReadAsByteArrayAsync();
        return await SendAsync(service, body, "application/x-www-form-urlencoded; charset=utf-8", null, keys, region, signedAt);
    }

    internal Task<LabAnswer> Ec2Async(string operation, params (string, string)[] parameters) => FormAsync("ec2", "2016-11-15", operation, parameters);

    internal Task<LabAnswer> RdsAsync(string operation, params (string, string)[] parameters) => FormAsync("rds", "2014-10-31", operation, parameters);

    internal Task<LabAnswer> IamAsync(string operation, params (string, string)[] parameters) => FormAsync("iam", "2010-05-08", operation, parameters);

    internal Task<LabAnswer> StsAsync(string operation, SigningKeys? keys = null, params (string, string)[] parameters) => FormAsync("sts", "2011-06-15", operation, parameters, keys);

    /// <summary>A JSON 1.1 call.</summary>
    internal Task<LabAnswer> JsonAsync(string service, string target, string json, SigningKeys? keys = null, string region = LabRegions.Main, DateTimeOffset? signedAt = null) =>
        SendAsync(service, Encoding.UTF8.GetBytes(json), "application/x-amz-json-1.1", target, keys, region, signedAt);

    internal Task<LabAnswer> SecretsAsync(string operation, string json, SigningKeys? keys = null) => JsonAsync("secretsmanager", "secretsmanager." + operation, json, keys);

    private async Task<LabAnswer> SendAsync(string service, byte[] body, string type, string? target, SigningKeys? keys, string region, DateTimeOffset? signedAt)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, "/"));
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(type);
        if (target is not null)
            request.Headers.Add("X-Amz-Target", target);
        SigV4.Sign(request, body, keys ?? Main, service, region, signedAt ?? Host.Context.Time.GetUtcNow());
        return await SendAsync(request);
    }

    internal async Task<LabAnswer> SendAsync(HttpRequestMessage request)
    {
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return new LabAnswer(response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            response.Headers.TryGetValues("x-amzn-RequestId", out var ids) ? ids.First() : null);
    }

    /// <summary>Waits on the model's own signal until this holds.</summary>
    internal async Task UntilAsync(Func<LabModel, bool> holds)
    {
        while (true)
        {
            var change = Host.Context.Model.NextChange;
            if (Host.Context.Model.Read(holds))
                return;
            await change.WaitAsync(TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>An answer with ways to read it.</summary>
internal sealed record LabAnswer(HttpStatusCode Status, string Body, string? RequestId)
{
    /// <summary>The error code, wherever this protocol puts it.</summary>
    public string? ErrorCode => Body.StartsWith('{')
        ? JsonDocument.Parse(Body).RootElement.TryGetProperty("__type", out var type) ? type.GetString() : null
        : XDocument.Parse(Body).Descendants().FirstOrDefault(e => e.Name.LocalName == "Code" && e.Parent!.Name.LocalName == "Error")?.Value;

    /// <summary>Texts of all elements of this name (without namespace).</summary>
    public IReadOnlyList<string> All(string element) => [.. XDocument.Parse(Body).Descendants().Where(e => e.Name.LocalName == element).Select(e => e.Value)];

    public string One(string element) => All(element)[0];

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public LabAnswer Succeeded()
    {
        Assert.True(Status == HttpStatusCode.OK, $"{(int)Status}: {Body}");
        return this;
    }
}
