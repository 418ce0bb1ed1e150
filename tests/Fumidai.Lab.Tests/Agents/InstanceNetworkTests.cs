using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fumidai.Lab.Tests;

/// <summary>What a virtual instance's kernel would do, without servers behind it.</summary>
public sealed class InstanceNetworkTests
{
    [Fact]
    public async Task A_dropped_dial_gives_up_after_the_kernels_patience_and_gets_through_when_a_rule_comes_in_time()
    {
        await using var host = await LabHost.StartAsync(new LabOptions(), [], ServerFixture.Limit);
        var (model, bastion, cluster, places) = Parts(host);
        var network = new InstanceNetwork(model, bastion.Id, places, host.Context.Time);
        using var database = new TcpListener(cluster.Address, cluster.Port);
        database.Start();
        using (var open = await network.ConnectAsync(cluster.Address, cluster.Port, ServerFixture.Limit))
        using (var accepted = await database.AcceptSocketAsync(ServerFixture.Limit))
            Assert.Equal(bastion.PrivateAddress, ((IPEndPoint)accepted.RemoteEndPoint!).Address);

        var rules = model.Change(m => cluster.SecurityGroupIds.SelectMany(id => m.SecurityGroups[id].Rules.Where(rule => rule.Direction == RuleDirection.Ingress).ToList().Select(rule =>
        {
            m.SecurityGroups[id].Rules.Remove(rule);
            return (id, rule);
        })).ToList());
        var dropped = network.ConnectAsync(cluster.Address, cluster.Port, ServerFixture.Limit).AsTask();
        host.Context.Time.Advance(TimeSpan.FromSeconds(127));
        Assert.Equal(SocketError.TimedOut, (await Assert.ThrowsAsync<SocketException>(() => dropped)).SocketErrorCode);

        var waiting = network.ConnectAsync(cluster.Address, cluster.Port, ServerFixture.Limit).AsTask();
        host.Context.Time.Advance(TimeSpan.FromSeconds(60));
        model.Change(m =>
        {
            rules.ForEach(one => m.SecurityGroups[one.id].Rules.Add(one.rule));
            return 0;
        });
        using var through = await waiting;
        Assert.True(through.Connected);
    }

    [Fact]
    public async Task A_stopped_server_refuses_its_own_place_only_and_loopback_is_the_instance_itself()
    {
        await using var host = await LabHost.StartAsync(new LabOptions(), [], ServerFixture.Limit);
        var (model, bastion, cluster, places) = Parts(host);
        var network = new InstanceNetwork(model, bastion.Id, places, host.Context.Time);
        using var strangerAtThePlace = new TcpListener(cluster.Address, cluster.Port);
        strangerAtThePlace.Start();
        places.Set(cluster.Address, cluster.Port, null);
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => network.ConnectAsync(cluster.Address, cluster.Port, ServerFixture.Limit).AsTask())).SocketErrorCode);

        using var machine = new TcpListener(IPAddress.Loopback, 0);
        machine.Start();
        var port = ((IPEndPoint)machine.LocalEndpoint).Port;
        Assert.Equal([IPAddress.Loopback], await network.ResolveAsync("localhost", ServerFixture.Limit));
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => network.ConnectAsync(IPAddress.Loopback, port, ServerFixture.Limit).AsTask())).SocketErrorCode);
        using var onTheInstance = new TcpListener(bastion.PrivateAddress, port);
        onTheInstance.Start();
        using var reached = await network.ConnectAsync(IPAddress.Loopback, port, ServerFixture.Limit);
        Assert.Equal(bastion.PrivateAddress, ((IPEndPoint)reached.RemoteEndPoint!).Address);
    }

    [Fact]
    public async Task Private_names_resolve_inside_and_others_do_not()
    {
        await using var host = await LabHost.StartAsync(new LabOptions(), [], ServerFixture.Limit);
        var (model, bastion, cluster, places) = Parts(host);
        var network = new InstanceNetwork(model, bastion.Id, places, host.Context.Time);
        Assert.Equal([cluster.Address], await network.ResolveAsync(cluster.Endpoint, ServerFixture.Limit));
        Assert.Equal(SocketError.HostNotFound, (await Assert.ThrowsAsync<SocketException>(() => network.ResolveAsync("no.such.host.internal", ServerFixture.Limit).AsTask())).SocketErrorCode);
        await Assert.ThrowsAsync<SocketException>(() => Dns.GetHostAddressesAsync(cluster.Endpoint, ServerFixture.Limit));
    }

    private static (LabModel Model, Instance Bastion, DbCluster Cluster, RealEndPoints Places) Parts(LabHost host)
    {
        var model = host.Context.Model;
        return model.Read(m =>
        {
            var cluster = m.DbClusters.Values.First(c => c.Region == LabRegions.Main);
            return (model, m.Instances.Values.First(i => i.VpcId == m.DbSubnetGroups[cluster.SubnetGroup].VpcId && i.PublicAddress is null), cluster, new RealEndPoints());
        });
    }
}
