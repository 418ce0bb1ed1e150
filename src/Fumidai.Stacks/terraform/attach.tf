# The only thing added to what is yours; destroying removes exactly this rule.
resource "aws_vpc_security_group_ingress_rule" "cluster_from_bastion" {
  security_group_id            = var.cluster_group
  ip_protocol                  = "tcp"
  from_port                    = var.cluster_port
  to_port                      = var.cluster_port
  referenced_security_group_id = aws_security_group.bastion_group.id
  description                  = "fumidai ${var.name}, bastion"
}

output "cluster_id" {
  value = var.cluster_id
}
