resource "aws_security_group" "ssh_group" {
  name_prefix = "${var.name}-ssh-"
  description = "Public bastion, SSH from one address"
  vpc_id      = local.vpc
  tags        = { Name = "${var.name} ssh" }
}

resource "aws_vpc_security_group_ingress_rule" "ssh_group_ssh" {
  security_group_id = aws_security_group.ssh_group.id
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = var.caller_cidr
  description       = "SSH from one address"
}

# No key pair: EC2 Instance Connect, which the image carries, takes a key for sixty seconds from whoever IAM allows.
resource "aws_instance" "public_bastion" {
  ami                                  = data.aws_ssm_parameter.bastion_image.insecure_value
  instance_type                        = var.bastion_type
  iam_instance_profile                 = aws_iam_instance_profile.bastion_profile.name
  subnet_id                            = local.public_subnet_a
  associate_public_ip_address          = true
  vpc_security_group_ids               = [aws_security_group.bastion_group.id, aws_security_group.ssh_group.id]
  instance_initiated_shutdown_behavior = "stop"
  user_data                            = <<-EOT
    #include public
  EOT
  tags                                 = { Name = "${var.name} public bastion", "fumidai:bastion" = "public", "fumidai:ssh-user" = "ec2-user" }
  volume_tags                          = local.tags

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

  depends_on = [
    aws_iam_role_policy_attachment.bastion_role_sessions,
    #+new-vpc aws_route.public_default_route,
    #+new-vpc aws_route_table_association.public_subnet_a_routes,
  ]
}

output "public_bastion_id" {
  value = aws_instance.public_bastion.id
}
