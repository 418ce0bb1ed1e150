using System.Globalization;
using Fumidai.Bench;

if (args is ["chain", var part, var to, var chainPayload])
{
    await Chain.RunAsync(part, to, int.Parse(chainPayload, CultureInfo.InvariantCulture));
    return;
}
if (args is ["soak", var program, var inARow])
{
    await new Soak(program, int.Parse(inARow, CultureInfo.InvariantCulture)).RunAsync();
    return;
}
// Runs inside the environment of a lab (bench/run starts one): every way leads to the same far end in the same run.
await new Comparison(args[0], args[1], int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture), args[4..]).RunAsync();
