namespace Fumidai.Stacks;

/// <summary>A unit price, dated and sourced; prices are USD without taxes, discounts and free allowances.</summary>
/// <param name="Region">E.g. <c>ap-northeast-1</c>.</param>
/// <param name="Item">Our word for it, e.g. <c>nat-hour</c>.</param>
/// <param name="UsageType">AWS's usage type without the region's prefix, for looking it up in the Price List API.</param>
/// <param name="Unit">What one costs that much: <c>hour</c>, <c>GB</c>, <c>GB-month</c>, <c>ACU-hour</c> …</param>
/// <param name="Usd">The price; null: unknown.</param>
/// <param name="AsOf">Year, month or day the source speaks of, or, for an unknown price, the day it was looked for.</param>
/// <param name="Source">Where it was read.</param>
public sealed record Price(string Region, string Item, string UsageType, string Unit, decimal? Usd, string AsOf, string Source);
