namespace Fumidai.Lab;

/// <summary>A bucket of StartSession calls for each account (<see cref="ServiceModel.StartsPerSecond"/>).</summary>
internal sealed class StartThrottle(ServiceModel model, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (double Left, long At)> _accounts = new(StringComparer.Ordinal);

    /// <exception cref="AwsError">ThrottlingException: the bucket is empty.</exception>
    public void Take(string account)
    {
        if (model.StartsPerSecond == 0)
            return;
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var (left, at) = _accounts.GetValueOrDefault(account, (model.StartsAtOnce, now));
            left = Math.Min(model.StartsAtOnce, left + (time.GetElapsedTime(at, now).TotalSeconds * model.StartsPerSecond));
            _accounts[account] = (left < 1 ? left : left - 1, now);
            if (left < 1)
                throw new AwsError("ThrottlingException", "Rate exceeded");
        }
    }
}
