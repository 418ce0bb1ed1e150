using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;

namespace Fumidai.Lab;

/// <summary>What a resource type works with to make, change or remove one resource of a stack.</summary>
internal sealed class ResourceWork(LabContext context, CallsOnBehalf calls, Stack stack, StackResource resource, TemplateNode.Map properties, IReadOnlyDictionary<string, string> tags, Action<string> made, CancellationToken cancellationToken)
{
    public TemplateNode.Map Properties => properties;

    /// <summary>The resource's own tags over the stack's, without AWS's.</summary>
    public IReadOnlyDictionary<string, string> Tags => tags;

    public string PhysicalId => resource.PhysicalId!;

    public StackResource Resource => resource;

    public Stack Stack => stack;

    public LabContext Lab => context;

    public CancellationToken Cancelled => cancellationToken;

    public string? Text(string property) => properties[property]?.Value;

    public IReadOnlyList<string> Texts(string property) => properties[property] is { } list ? [.. list.Items.Select(i => i.Value ?? "")] : [];

    /// <summary>Remembers what was made, as soon as it is: what is not remembered is not removed.</summary>
    public void Made(string physicalId) => made(physicalId);

    /// <summary>Calls a service as the stack's owner. Parameters without a value are left out.</summary>
    public Task<XElement> CallAsync(string service, string operation, params (string Name, string? Value)[] parameters) => CallAsync(service, operation, (IEnumerable<(string, string?)>)parameters);

    public Task<XElement> CallAsync(string service, string operation, IEnumerable<(string Name, string? Value)> parameters) =>
        calls.AskAsync(stack.Caller, stack.Region, service, operation, parameters.Where(p => p.Value is not null).ToDictionary(p => p.Name, p => p.Value!, StringComparer.Ordinal), cancellationToken);

    /// <summary>Calls to remove; that it is gone already is no fault.</summary>
    public async Task<bool> RemoveAsync(string service, string operation, params (string Name, string? Value)[] parameters)
    {
        try
        {
            await CallAsync(service, operation, parameters).ConfigureAwait(false);
            return true;
        }
        catch (HandlerError error) when (error.IsNotFound)
        {
            return false;
        }
    }

    /// <summary>Waits until the model says so.</summary>
    public async Task UntilAsync(Func<LabModel, bool> holds)
    {
        while (true)
        {
            var changed = context.Model.NextChange;
            if (context.Model.Read(holds))
                return;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>NAME.1, NAME.2 … of values.</summary>
    public static IEnumerable<(string, string?)> Numbered(string name, IEnumerable<string> values) => values.Select((v, i) => (string.Create(CultureInfo.InvariantCulture, $"{name}.{i + 1}"), (string?)v));

    /// <summary>The tags as EC2's TagSpecification.</summary>
    public IEnumerable<(string, string?)> TagSpecification(string type) => tags.Count == 0 ? [] :
        [("TagSpecification.1.ResourceType", type), .. Pairs("TagSpecification.1.Tag", tags)];

    /// <summary>The tags as the query protocol's list.</summary>
    public IEnumerable<(string, string?)> TagMembers() => Pairs("Tags.member", tags);

    public static IEnumerable<(string, string?)> Pairs(string name, IEnumerable<KeyValuePair<string, string>> pairs) => pairs.SelectMany((t, i) => ((string, string?)[])
    [
        (string.Create(CultureInfo.InvariantCulture, $"{name}.{i + 1}.Key"), t.Key), (string.Create(CultureInfo.InvariantCulture, $"{name}.{i + 1}.Value"), t.Value),
    ]);

    /// <summary>A name as CloudFormation makes them: STACK-LOGICALID-RANDOM, the stack's part shortened to fit.</summary>
    public string Name(int longest, bool isLower = false)
    {
        var random = RandomNumberGenerator.GetString(isLower ? "abcdefghijklmnopqrstuvwxyz0123456789" : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 12);
        var logical = resource.LogicalId[..Math.Min(resource.LogicalId.Length, 24)];
        var name = stack.Name[..Math.Min(stack.Name.Length, longest - logical.Length - random.Length - 2)];
        var whole = $"{name}-{logical}-{random}";
        return isLower ? whole.ToLowerInvariant() : whole;
    }
}
