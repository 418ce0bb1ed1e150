using System.Xml.Linq;

namespace Fumidai.Aws;

/// <summary>Reads a CloudFormation list to its last page.</summary>
internal static class StackPages
{
    /// <param name="access">Account and region.</param>
    /// <param name="operation">E.g. <c>DescribeStackEvents</c>.</param>
    /// <param name="list">The list's element.</param>
    /// <param name="parameters">Of every page.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="isEnough">Asked after each page with all read so far; true: no further page.</param>
    public static async Task<List<XElement>> ReadAsync(AwsAccess access, string operation, string list, KeyValuePair<string, string>[] parameters,
        CancellationToken cancellationToken, Func<IReadOnlyList<XElement>, bool>? isEnough = null)
    {
        var all = new List<XElement>();
        string? token = null;
        do
        {
            KeyValuePair<string, string>[] page = token is null ? parameters : [.. parameters, new("NextToken", token)];
            var answer = await access.AskAsync(AwsService.CloudFormation, operation, stop => access.CloudFormation.QueryAsync(operation, page, stop), cancellationToken).ConfigureAwait(false);
            all.AddRange(answer.Children(list, "member"));
            var next = answer.Text("NextToken");
            // A token that does not move would turn here for ever.
            token = next == token || isEnough?.Invoke(all) == true ? null : next;
        }
        while (token is not null);
        return all;
    }
}
