# Costs nothing by the hour. A VPC has one at most. It reaches sshd of the bastion and nothing else.
resource "aws_security_group" "connect_endpoint_group" {
  name_prefix = "${var.name}-connect-endpoint-"
  description = "Instance Connect Endpoint, 22 to the bastion"
  vpc_id      = local.vpc
  tags        = { Name = "${var.name} connect endpoint" }
}

resource "aws_vpc_security_group_egress_rule" "connect_endpoint_group_ssh" {
  security_group_id            = aws_security_group.connect_endpoint_group.id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  referenced_security_group_id = aws_security_group.bastion_group.id
  description                  = "SSH to the bastion"
}

# The bastion's only inbound rule: from the endpoint, from no address.
resource "aws_vpc_security_group_ingress_rule" "bastion_from_connect_endpoint" {
  security_group_id            = aws_security_group.bastion_group.id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  referenced_security_group_id = aws_security_group.connect_endpoint_group.id
  description                  = "SSH from the Instance Connect Endpoint"
}

resource "aws_ec2_instance_connect_endpoint" "connect_endpoint" {
  subnet_id          = local.private_subnet_a
  security_group_ids = [aws_security_group.connect_endpoint_group.id]
  preserve_client_ip = false
  tags               = { Name = "${var.name} connect endpoint" }
}

output "connect_endpoint_id" {
  value = aws_ec2_instance_connect_endpoint.connect_endpoint.id
}
