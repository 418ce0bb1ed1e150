namespace Fumidai.Lab.Tests;

/// <summary>A template of somebody else's, with names and habits of their own: what the product's templates are made of, said differently.</summary>
internal static class ForeignTemplate
{
    /// <summary>Network, groups, endpoints, a jump box without any inbound rule, a cluster.</summary>
    public const string Whole = """
        AWSTemplateFormatVersion: "2010-09-09"
        Description: Warehouse
        Parameters:
          Block: {Type: String, Default: 10.40.0.0/16, AllowedPattern: '\d+\.\d+\.\d+\.\d+/\d+'}
          Ami: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64}
          Guarded: {Type: String, Default: 'no', AllowedValues: ['yes', 'no']}
          Box: {Type: String, Default: t4g.nano}
        Mappings:
          Sizes: {small: {Most: "2"}}
        Conditions:
          IsGuarded: !Equals [!Ref Guarded, 'yes']
        Resources:
          Net:
            Type: AWS::EC2::VPC
            Properties: {CidrBlock: !Ref Block, EnableDnsHostnames: true, EnableDnsSupport: true, Tags: [{Key: Name, Value: !Sub '${AWS::StackName}-net'}]}
          East:
            Type: AWS::EC2::Subnet
            Properties: {VpcId: !Ref Net, CidrBlock: !Select [0, !Cidr [!GetAtt Net.CidrBlock, 4, 8]], AvailabilityZone: !Select [0, !GetAZs '']}
          West:
            Type: AWS::EC2::Subnet
            Properties: {VpcId: !Ref Net, CidrBlock: !Select [1, !Cidr [!GetAtt Net.CidrBlock, 4, 8]], AvailabilityZone: !Select [1, !GetAZs '']}
          Jumpers:
            Type: AWS::EC2::SecurityGroup
            Properties: {GroupDescription: jump boxes, VpcId: !Ref Net}
          Doors:
            Type: AWS::EC2::SecurityGroup
            Properties:
              GroupDescription: endpoints
              VpcId: !Ref Net
              SecurityGroupIngress: {IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !Ref Jumpers}
          Shelves:
            Type: AWS::EC2::SecurityGroup
            Properties: {GroupDescription: database, VpcId: !Ref Net}
          Reach:
            Type: AWS::EC2::SecurityGroupIngress
            Properties: {GroupId: !GetAtt Shelves.GroupId, IpProtocol: tcp, FromPort: 5432, ToPort: 5432, SourceSecurityGroupId: !GetAtt Jumpers.GroupId}
          Ssm:
            Type: AWS::EC2::VPCEndpoint
            Properties: {VpcId: !Ref Net, ServiceName: !Join [., [com.amazonaws, !Ref 'AWS::Region', ssm]], VpcEndpointType: Interface, PrivateDnsEnabled: true, SubnetIds: [!Ref East], SecurityGroupIds: [!Ref Doors]}
          Messages:
            Type: AWS::EC2::VPCEndpoint
            Properties: {VpcId: !Ref Net, ServiceName: !Sub 'com.amazonaws.${AWS::Region}.ssmmessages', VpcEndpointType: Interface, PrivateDnsEnabled: true, SubnetIds: [!Ref East], SecurityGroupIds: [!Ref Doors]}
          Crew:
            Type: AWS::IAM::Role
            Properties:
              AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: 'sts:AssumeRole'}]}
              ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore']
          Badge:
            Type: AWS::IAM::InstanceProfile
            Properties: {Roles: [!Ref Crew]}
          JumpBox:
            Type: AWS::EC2::Instance
            DependsOn: [Ssm, Messages]
            Properties: {ImageId: !Ref Ami, InstanceType: !Ref Box, IamInstanceProfile: !Ref Badge, SubnetId: !Ref East, SecurityGroupIds: [!Ref Jumpers], UserData: {'Fn::Base64': hello}}
          Rooms:
            Type: AWS::RDS::DBSubnetGroup
            Properties: {DBSubnetGroupDescription: rooms, SubnetIds: [!Ref East, !Ref West]}
          Stock:
            Type: AWS::RDS::DBCluster
            Properties:
              Engine: aurora-postgresql
              DatabaseName: stock
              MasterUsername: keeper
              ManageMasterUserPassword: true
              DBSubnetGroupName: !Ref Rooms
              VpcSecurityGroupIds: [!Ref Shelves]
              DeletionProtection: !If [IsGuarded, true, false]
              ServerlessV2ScalingConfiguration: {MinCapacity: 0.5, MaxCapacity: !FindInMap [Sizes, small, Most]}
          Clerk:
            Type: AWS::RDS::DBInstance
            Properties: {DBClusterIdentifier: !Ref Stock, Engine: aurora-postgresql, DBInstanceClass: db.serverless}
        Outputs:
          BoxId: {Value: !Ref JumpBox}
          BoxAddress: {Value: !GetAtt JumpBox.PrivateIp}
          Host: {Value: !GetAtt Stock.Endpoint.Address}
          Range: {Value: !GetAtt Net.CidrBlock}
        """;

    /// <summary>A network and a group: quick to build.</summary>
    public static string Small(string rules = "{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 203.0.113.7/32}", string extra = "") => $$$"""
        Resources:
          Net: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.9.0.0/16}}
          Yard: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Net, CidrBlock: 10.9.1.0/24}}
          Gate:
            Type: AWS::EC2::SecurityGroup
            Properties: {GroupDescription: gate, VpcId: !Ref Net, SecurityGroupIngress: [{{{rules}}}]}
        {{{extra}}}
        Outputs:
          GateId: {Value: !Ref Gate}
        """;
}
