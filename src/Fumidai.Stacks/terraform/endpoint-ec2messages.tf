resource "aws_vpc_endpoint" "ec2_messages_endpoint" {
  vpc_id              = local.vpc
  service_name        = "com.amazonaws.${data.aws_region.here.region}.ec2messages"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  security_group_ids  = [aws_security_group.endpoint_group.id]
  tags                = { Name = "${var.name} ec2messages" }

  subnet_ids = [local.private_subnet_a, local.private_subnet_b] #-one-zone
  #+one-zone subnet_ids = [local.private_subnet_a]
}
