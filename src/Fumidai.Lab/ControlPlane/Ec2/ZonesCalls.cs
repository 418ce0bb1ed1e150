namespace Fumidai.Lab;

/// <summary>Availability zones. Lab only: three in each region, and their ids follow their names, where AWS shuffles both for each account.</summary>
internal static class ZonesCalls
{
    public static IReadOnlyList<string> Of(string region) => region == LabRegions.Main ? [region + "a", region + "c", region + "d"] : [region + "a", region + "b", region + "c"];

    public static AwsAnswer Describe(AwsCall call, QueryForm form)
    {
        var names = form.Texts("ZoneName");
        var zones = Of(call.Region);
        if (names.FirstOrDefault(n => !zones.Contains(n)) is { } unknown)
            throw new AwsError("InvalidParameterValue", $"Invalid availability zone: [{unknown}]");
        var chosen = zones.Where(z => names.Count == 0 || names.Contains(z)).ToList();
        foreach (var prefix in form.Structures("Filter"))
        {
            var wanted = form.Texts($"{prefix}.Value");
            chosen = form.Required($"{prefix}.Name") switch
            {
                "zone-name" => [.. chosen.Where(wanted.Contains)],
                "state" => [.. chosen.Where(_ => wanted.Contains("available"))],
                "region-name" => [.. chosen.Where(_ => wanted.Contains(call.Region))],
                "opt-in-status" => [.. chosen.Where(_ => wanted.Contains("opt-in-not-required"))],
                "zone-type" => [.. chosen.Where(_ => wanted.Contains("availability-zone"))],
                var other => throw new AwsError("InvalidParameterValue", $"The filter '{other}' is invalid"),
            };
        }
        return new XmlText().List("availabilityZoneInfo", "item", chosen, (x, z) => x.Element("zoneName", z).Element("zoneId", $"lab-{z}").Element("zoneState", "available")
            .Element("regionName", call.Region).Element("optInStatus", "opt-in-not-required").Element("zoneType", "availability-zone").Element("groupName", call.Region)
            .Element("networkBorderGroup", call.Region).List("messageSet", "item", Array.Empty<string>(), (_, _) => { })).ToAnswer();
    }
}
