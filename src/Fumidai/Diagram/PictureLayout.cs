namespace Fumidai;

/// <summary>Where a box stands, in pixels.</summary>
internal readonly record struct Box(double X, double Y, double Width, double Height)
{
    internal double Right => X + Width;

    internal double Bottom => Y + Height;

    internal double Middle => Y + Height / 2;
}

/// <summary>
/// Places a picture on a page a thousand pixels wide: the laptop at the left, the internet beside it, then the VPC with a lane for each zone, a box for each
/// subnet in it, and within each three columns: doors, bastions, the database. So every route runs from left to right.
/// </summary>
internal sealed class PictureLayout
{
    internal const double Width = 1000;
    internal const double LineHeight = 16;
    internal const double Top = 60;

    private const double Gap = 12;
    private const double LaptopX = 12;
    private const double LaptopWidth = 144;
    private const double InternetX = 184;
    private const double InternetWidth = 166;
    private const double VpcX = 370;
    private const double VpcWidth = 618;
    private const double ColumnWidth = 166;
    private static readonly double[] Columns = [VpcX + 28, VpcX + 224, VpcX + 420];

    internal PictureLayout(Picture picture)
    {
        var y = Top + 40;
        foreach (var zone in picture.Zones)
        {
            var zoneTop = y;
            y += 28;
            foreach (var subnet in zone.Subnets)
            {
                var subnetTop = y;
                var bottom = y + 26;
                foreach (var column in subnet.Parts.GroupBy(p => ColumnOf(p.Kind)))
                {
                    var partY = subnetTop + 28;
                    foreach (var part in column)
                    {
                        Parts[part.Id] = new Box(Columns[column.Key], partY, ColumnWidth, HeightOf(part));
                        partY = Parts[part.Id].Bottom + Gap;
                    }
                    bottom = Math.Max(bottom, partY);
                }
                Subnets[subnet.Id] = new Box(VpcX + 16, subnetTop, VpcWidth - 32, bottom - subnetTop);
                y = bottom + 10;
            }
            Zones[zone.Name] = new Box(VpcX + 8, zoneTop, VpcWidth - 16, y - zoneTop);
            y += 10;
        }
        Vpc = new Box(VpcX, Top, VpcWidth, Math.Max(y + 4, Top + 240) - Top);
        Internet = new Box(InternetX, Top, InternetWidth, Vpc.Height);
        Parts[picture.Laptop.Id] = new Box(LaptopX, Vpc.Middle - HeightOf(picture.Laptop) / 2, LaptopWidth, HeightOf(picture.Laptop));
        for (var i = 0; i < picture.Internet.Count; i++)
        {
            var part = picture.Internet[i];
            Parts[part.Id] = new Box(InternetX + 4, Top + Vpc.Height * (i + 1) / (picture.Internet.Count + 1) - HeightOf(part) / 2, InternetWidth - 8, HeightOf(part));
        }
    }

    internal Box Vpc { get; }

    internal Box Internet { get; }

    internal Dictionary<string, Box> Zones { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, Box> Subnets { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, Box> Parts { get; } = new(StringComparer.Ordinal);

    private static double HeightOf(PicturePart part) => 30 + (part.Details.Count + part.Doors.Count + (part.Cost is null ? 0 : 1)) * LineHeight;

    private static int ColumnOf(PartKind kind) => kind switch { PartKind.Bastion => 1, PartKind.Database => 2, _ => 0 };
}
