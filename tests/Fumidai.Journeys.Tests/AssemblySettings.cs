using Fumidai.Journeys.Tests;
using Xunit;

// One lab for all journeys, one journey at a time: several of them break the lab's network and mend it again.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
[assembly: System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
[assembly: AssemblyFixture(typeof(RunningLab))]
