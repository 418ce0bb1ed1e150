namespace Fumidai.Aws;

/// <summary>A place keys come from. One fetch at a time.</summary>
internal interface IKeySource
{
    /// <exception cref="AwsFailure">Credentials, mostly: why there are no keys, and what to do.</exception>
    Task<Keys> FetchAsync();
}
