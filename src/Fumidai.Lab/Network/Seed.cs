using System.Net;

namespace Fumidai.Lab;

/// <summary>
/// What a lab starts with: two accounts with a user each, and the mission's architecture in the first region: a VPC over two zones with public and
/// private subnets, three security groups, three interface endpoints, a public and a private bastion, and an Aurora Serverless v2 PostgreSQL
/// cluster whose master password RDS manages.
/// </summary>
internal sealed class Seed(LabModel model, AddressPlan plan, DateTimeOffset now)
{
    private const string Account = LabAccounts.Main;
    private const string Region = LabRegions.Main;

    /// <summary>The laptop: where the lab's callers come from.</summary>
    private const string Home = "127.0.0.1/32";

    /// <summary>Users and a role to assume, in both accounts; present in an empty lab too.</summary>
    public void Identities()
    {
        foreach (var (account, name, key) in ((string, string, string)[])[(LabAccounts.Main, "alice", "AKIALABMAIN00000000A"), (LabAccounts.Other, "bob", "AKIALABOTHER0000000B")])
        {
            model.Users[LabModel.Key(account, name)] = new User
            {
                Id = Ids.Iam("AIDA"),
                Account = account,
                Region = "",
                Name = name,
                AccessKeyId = key,
                SecretAccessKey = $"lab/{account}/opens/nothing/but/the/lab",
            };
            model.Roles[LabModel.Key(account, "operator")] = new Role
            {
                Id = Ids.Iam("AROA"),
                Account = account,
                Region = "",
                Name = "operator",
                TrustPolicy = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::{{LabAccounts.Main}}:root","arn:aws:iam::{{LabAccounts.Other}}:root"]},"Action":"sts:AssumeRole"}]}""",
            };
        }
    }

    /// <summary>The architecture; returns the cluster with its master password, for the server behind it.</summary>
    public (DbCluster Cluster, string Password) Architecture()
    {
        var vpc = AddVpc(Region, plan.Main, "mission");
        vpc.EnableDnsHostnames = true;
        var publicA = AddSubnet(vpc, "a", 0, isPublic: true);
        var publicC = AddSubnet(vpc, "c", 1, isPublic: true);
        var privateA = AddSubnet(vpc, "a", 10, isPublic: false);
        var privateC = AddSubnet(vpc, "c", 11, isPublic: false);
        var gateway = new InternetGateway { Id = Ids.Ec2("igw"), Account = Account, Region = Region, VpcId = vpc.Id };
        model.InternetGateways[gateway.Id] = gateway;
        AddRouteTable(vpc, "public", [publicA, publicC], new Route("0.0.0.0/0", gateway.Id));
        AddRouteTable(vpc, "private", [privateA, privateC]);

        var bastionGroup = AddGroup(vpc, "ec2", "Bastions: SSH from home");
        var auroraGroup = AddGroup(vpc, "aurora", "Aurora: PostgreSQL from the bastions");
        var endpointGroup = AddGroup(vpc, "endpoints", "Interface endpoints: HTTPS from the bastions");
        Admit(bastionGroup, 22, Home, null);
        Admit(auroraGroup, 5432, null, bastionGroup.Id);
        Admit(endpointGroup, 443, null, bastionGroup.Id);

        foreach (var service in (string[])["ssm", "ec2messages", "ssmmessages"])
            AddEndpoint(vpc, service, endpointGroup, privateA, privateC);
        AddInstance("public-bastion", vpc, publicA, bastionGroup, plan.Address(254, 10), null);
        AddInstance("private-bastion", vpc, privateA, bastionGroup, null, AddBastionProfile());
        return AddCluster(vpc, auroraGroup, privateA, privateC);
    }

    /// <summary>The second region: a network, and nothing in it.</summary>
    public void SecondRegion()
    {
        var vpc = AddVpc(LabRegions.Second, plan.Other, "elsewhere");
        var subnet = new Subnet { Id = Ids.Ec2("subnet"), Account = Account, Region = vpc.Region, VpcId = vpc.Id, AvailabilityZone = vpc.Region + "a", Cidr = IPNetwork.Parse($"{vpc.Cidr.BaseAddress}/24") };
        model.Subnets[subnet.Id] = subnet;
    }

    private Vpc AddVpc(string region, IPNetwork cidr, string name)
    {
        var vpc = new Vpc { Id = Ids.Ec2("vpc"), Account = Account, Region = region, Cidr = cidr };
        vpc.Tags["Name"] = name;
        model.Vpcs[vpc.Id] = vpc;
        var main = new RouteTable { Id = Ids.Ec2("rtb"), Account = Account, Region = region, VpcId = vpc.Id, IsMain = true };
        main.Routes.Add(new Route(cidr.ToString(), "local"));
        model.RouteTables[main.Id] = main;
        var group = AddGroup(vpc, "default", "default VPC security group");
        group.Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), RuleDirection.Ingress, "-1", -1, -1, null, group.Id, null));
        return vpc;
    }

    private Subnet AddSubnet(Vpc vpc, string zone, int third, bool isPublic)
    {
        var subnet = new Subnet
        {
            Id = Ids.Ec2("subnet"),
            Account = Account,
            Region = Region,
            VpcId = vpc.Id,
            AvailabilityZone = Region + zone,
            Cidr = plan.Subnet(third),
            MapPublicIpOnLaunch = isPublic,
        };
        subnet.Tags["Name"] = $"{(isPublic ? "public" : "private")}-{zone}";
        model.Subnets[subnet.Id] = subnet;
        return subnet;
    }

    private void AddRouteTable(Vpc vpc, string name, Subnet[] subnets, params Route[] routes)
    {
        var table = new RouteTable { Id = Ids.Ec2("rtb"), Account = Account, Region = Region, VpcId = vpc.Id };
        table.Tags["Name"] = name;
        table.Routes.Add(new Route(vpc.Cidr.ToString(), "local"));
        table.Routes.AddRange(routes);
        foreach (var subnet in subnets)
            table.Associations[Ids.Ec2("rtbassoc")] = subnet.Id;
        model.RouteTables[table.Id] = table;
    }

    private SecurityGroup AddGroup(Vpc vpc, string name, string description)
    {
        var group = new SecurityGroup { Id = Ids.Ec2("sg"), Account = Account, Region = vpc.Region, VpcId = vpc.Id, Name = name, Description = description };
        group.Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), RuleDirection.Egress, "-1", -1, -1, "0.0.0.0/0", null, null));
        model.SecurityGroups[group.Id] = group;
        return group;
    }

    private static void Admit(SecurityGroup group, int port, string? cidr, string? groupId) =>
        group.Rules.Add(new SecurityGroupRule(Ids.Ec2("sgr"), RuleDirection.Ingress, "tcp", port, port, cidr, groupId, null));

    private void AddEndpoint(Vpc vpc, string service, SecurityGroup group, params Subnet[] subnets)
    {
        var endpoint = new VpcEndpoint { Id = Ids.Ec2("vpce"), Account = Account, Region = Region, VpcId = vpc.Id, ServiceName = $"com.amazonaws.{Region}.{service}", CreatedAt = now.AddDays(-1) };
        endpoint.SecurityGroupIds.Add(group.Id);
        model.Endpoints[endpoint.Id] = endpoint;
        foreach (var subnet in subnets)
            endpoint.Interfaces[subnet.Id] = AddressPlan.Next(model, subnet);
    }

    private InstanceProfile AddBastionProfile()
    {
        const string name = "private-bastion";
        var role = new Role
        {
            Id = Ids.Iam("AROA"),
            Account = Account,
            Region = "",
            Name = name,
            TrustPolicy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}""",
        };
        role.AttachedPolicyArns.Add(ManagedPolicies.CoreArn);
        model.Roles[LabModel.Key(Account, name)] = role;
        var profile = new InstanceProfile { Id = Ids.Iam("AIPA"), Account = Account, Region = "", Name = name, RoleName = name };
        model.InstanceProfiles[profile.Arn] = profile;
        return profile;
    }

    private void AddInstance(string name, Vpc vpc, Subnet subnet, SecurityGroup group, IPAddress? open, InstanceProfile? profile)
    {
        var instance = new Instance
        {
            Id = Ids.Ec2("i"),
            Account = Account,
            Region = Region,
            VpcId = vpc.Id,
            SubnetId = subnet.Id,
            AvailabilityZone = subnet.AvailabilityZone,
            PrivateAddress = AddressPlan.Next(model, subnet),
            PublicAddress = open,
            InstanceProfileArn = profile?.Arn,
            ProfileAssociationId = profile is null ? null : Ids.Ec2("iip-assoc"),
            LaunchedAt = now.AddHours(-1),
        };
        instance.SecurityGroupIds.Add(group.Id);
        instance.Tags["Name"] = name;
        model.Instances[instance.Id] = instance;
    }

    private (DbCluster Cluster, string Password) AddCluster(Vpc vpc, SecurityGroup group, params Subnet[] subnets)
    {
        const string id = "app";
        var subnetGroup = new DbSubnetGroup { Id = "private", Account = Account, Region = Region, VpcId = vpc.Id, Description = "Private subnets" };
        subnetGroup.SubnetIds.AddRange(subnets.Select(s => s.Id));
        model.DbSubnetGroups[subnetGroup.Id] = subnetGroup;
        var zone = Ids.RdsZone();
        var cluster = new DbCluster
        {
            Id = id,
            Account = Account,
            Region = Region,
            Engine = "aurora-postgresql",
            EngineVersion = "15.10",
            Endpoint = $"{id}.cluster-{zone}.{Region}.rds.amazonaws.com",
            ReaderEndpoint = $"{id}.cluster-ro-{zone}.{Region}.rds.amazonaws.com",
            Address = AddressPlan.Next(model, subnets[0]),
            SubnetGroup = subnetGroup.Id,
            DatabaseName = "app",
            MasterUsername = "postgres",
            MinCapacity = 0.5,
            MaxCapacity = 4,
            ResourceId = Ids.RdsResource("cluster"),
            CreatedAt = now.AddDays(-1),
        };
        cluster.SecurityGroupIds.Add(group.Id);
        model.DbClusters[id] = cluster;
        RdsService.MakeServiceRole(model, cluster.Account, now);
        model.DbInstances["app-1"] = new DbInstance
        {
            Id = "app-1",
            Account = Account,
            Region = Region,
            ClusterId = id,
            Engine = cluster.Engine,
            Endpoint = $"app-1.{zone}.{Region}.rds.amazonaws.com",
            AvailabilityZone = subnets[0].AvailabilityZone,
            ResourceId = Ids.RdsResource("db"),
        };
        var secret = MasterSecret.Create(model, cluster, now, out var password);
        cluster.MasterSecretArn = secret.Arn;
        return (cluster, password);
    }
}
