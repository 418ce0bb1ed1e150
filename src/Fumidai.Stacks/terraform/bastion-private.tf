resource "aws_instance" "private_bastion" {
  ami                  = data.aws_ssm_parameter.bastion_image.insecure_value
  instance_type        = var.bastion_type
  iam_instance_profile = aws_iam_instance_profile.bastion_profile.name

  subnet_id                   = local.private_subnet_a #-outside
  associate_public_ip_address = false #-outside
  #+outside # A public address for the way out alone: its group has no inbound rule.
  #+outside subnet_id                   = local.public_subnet_a
  #+outside associate_public_ip_address = true

  vpc_security_group_ids = [aws_security_group.bastion_group.id]
  # It ends itself by powering off; that must stop it and not terminate it.
  instance_initiated_shutdown_behavior = "stop"
  # A boothook runs at every boot.
  user_data   = <<-EOT
    #include private
  EOT
  tags        = { Name = "${var.name} bastion", "fumidai:bastion" = "private" }
  volume_tags = local.tags

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 8
    encrypted   = true
  }

  lifecycle {
    ignore_changes = [ami]
  }

  # Network first, bastion second: an agent that cannot register at boot sleeps five minutes, then ten, twenty, up to an hour.
  depends_on = [
    aws_iam_role_policy_attachment.bastion_role_sessions,
    #+ssm aws_vpc_endpoint.ssm_endpoint,
    #+ssmmessages aws_vpc_endpoint.ssm_messages_endpoint,
    #+ec2messages aws_vpc_endpoint.ec2_messages_endpoint,
    #+nat aws_route.private_default_route,
    #+nat aws_route_table_association.private_subnet_a_routes,
    #+new-outside aws_route.public_default_route,
    #+new-outside aws_route_table_association.public_subnet_a_routes,
  ]
}

output "private_bastion_id" {
  value = aws_instance.private_bastion.id
}
