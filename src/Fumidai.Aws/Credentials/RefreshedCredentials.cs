using Amazon.Runtime;

namespace Fumidai.Aws;

/// <summary>
/// Credentials that are fetched on first use and again <see cref="Ahead"/> of their end, so that what is signed with them still holds
/// when it arrives. While a refresh fails, keys that have not ended yet are used on.
/// </summary>
internal sealed class RefreshedCredentials(IKeySource source, TimeProvider time) : AWSCredentials, IDisposable
{
    public static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _fetching = new(1, 1);
    private volatile Keys? _keys;

    public override ImmutableCredentials GetCredentials() => GetCredentialsAsync().GetAwaiter().GetResult();

    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        if (IsGood(_keys, Ahead))
            return _keys!.Credentials;
        await _fetching.WaitAsync().ConfigureAwait(false);
        try
        {
            if (IsGood(_keys, Ahead))
                return _keys!.Credentials;
            try
            {
                _keys = await source.FetchAsync().ConfigureAwait(false);
            }
            catch (AwsFailure) when (IsGood(_keys, TimeSpan.Zero))
            {
            }
            return _keys!.Credentials;
        }
        finally
        {
            _fetching.Release();
        }
    }

    public void Dispose() => _fetching.Dispose();

    private bool IsGood(Keys? keys, TimeSpan ahead) => keys is not null && (keys.Expires is not { } end || end - ahead > time.GetUtcNow());
}
