resource "aws_security_group" "endpoint_group" {
  name_prefix = "${var.name}-endpoints-"
  description = "Session Manager endpoints, 443 from the bastion"
  vpc_id      = local.vpc
  tags        = { Name = "${var.name} endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoint_group_https" {
  security_group_id            = aws_security_group.endpoint_group.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.bastion_group.id
  description                  = "HTTPS from the bastion"
}
