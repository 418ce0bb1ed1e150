# Worn by every bastion; databases and endpoints admit this group and no address. It has no inbound rule.
# Outbound is open, as AWS has it by default: what the bastion may reach is decided by the groups of what it reaches.
resource "aws_security_group" "bastion_group" {
  name_prefix = "${var.name}-bastion-"
  description = "Bastion, no inbound rule"
  vpc_id      = local.vpc
  tags        = { Name = "${var.name} bastion" }
}

resource "aws_vpc_security_group_egress_rule" "bastion_group_outbound" {
  security_group_id = aws_security_group.bastion_group.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
