namespace Fumidai.Aws;

/// <summary>All pages of an EC2 question.</summary>
internal static class Ec2Pages
{
    public static async Task<List<T>> AllAsync<T>(AwsAccess access, string operation, Func<string?, CancellationToken, Task<(IEnumerable<T>? Items, string? Next)>> ask, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        string? token = null;
        do
        {
            var at = token;
            var (items, next) = await access.AskAsync(AwsService.Ec2, operation, stop => ask(at, stop), cancellationToken).ConfigureAwait(false);
            all.AddRange(items ?? []);
            // A token that does not move would turn here for ever.
            token = string.IsNullOrEmpty(next) || next == token ? null : next;
        }
        while (token is not null);
        return all;
    }
}
