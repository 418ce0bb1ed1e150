resource "aws_iam_role" "bastion_role" {
  name_prefix = "${substr(var.name, 0, 24)}-"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "bastion_role_sessions" {
  role       = aws_iam_role.bastion_role.name
  policy_arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "bastion_profile" {
  name_prefix = "${substr(var.name, 0, 24)}-"
  role        = aws_iam_role.bastion_role.name
}

# Read at every plan: a newer image would replace the bastions, which the lifecycle blocks below prevent.
data "aws_ssm_parameter" "bastion_image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}
