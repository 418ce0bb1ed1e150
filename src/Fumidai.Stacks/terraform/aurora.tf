resource "aws_security_group" "database_group" {
  name_prefix = "${var.name}-database-"
  description = "Aurora PostgreSQL, 5432 from the bastion"
  vpc_id      = local.vpc
  tags        = { Name = "${var.name} database" }
}

resource "aws_vpc_security_group_ingress_rule" "database_group_postgresql" {
  security_group_id            = aws_security_group.database_group.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.bastion_group.id
  description                  = "PostgreSQL from the bastion"
}

resource "aws_db_subnet_group" "database_subnets" {
  name_prefix = "${lower(var.name)}-"
  description = "Private subnets in two zones"
  subnet_ids  = [local.private_subnet_a, local.private_subnet_b]
}

resource "aws_rds_cluster" "cluster" {
  cluster_identifier_prefix = "${lower(var.name)}-"
  engine                    = "aurora-postgresql"
  # Minor versions are retired: with a major version alone AWS takes the one it recommends.
  engine_version  = var.engine_version
  database_name   = var.database_name
  master_username = "postgres"
  # RDS makes the password, keeps it in Secrets Manager and changes it every seven days; it is never in the state file.
  manage_master_user_password         = true
  db_subnet_group_name                = aws_db_subnet_group.database_subnets.name
  vpc_security_group_ids              = [aws_security_group.database_group.id]
  storage_encrypted                   = true
  iam_database_authentication_enabled = true
  enable_http_endpoint                = true
  deletion_protection                 = var.deletion_protection
  copy_tags_to_snapshot               = true
  tags                                = { Name = var.name }

  # Destroying keeps the data: one snapshot, billed by its size until you delete it. #-discard
  skip_final_snapshot       = false #-discard
  final_snapshot_identifier = "${lower(var.name)}-final" #-discard
  #+discard skip_final_snapshot = true

  serverlessv2_scaling_configuration {
    min_capacity = var.min_acu
    max_capacity = var.max_acu

    seconds_until_auto_pause = var.auto_pause_seconds #-never-pauses
  }
}

# A cluster without an instance has nothing behind its endpoint.
resource "aws_rds_cluster_instance" "writer" {
  cluster_identifier  = aws_rds_cluster.cluster.id
  engine              = aws_rds_cluster.cluster.engine
  instance_class      = "db.serverless"
  publicly_accessible = false
  tags                = { Name = "${var.name} writer" }
}

output "cluster_id" {
  value = aws_rds_cluster.cluster.id
}

output "cluster_endpoint" {
  value = aws_rds_cluster.cluster.endpoint
}

output "secret_arn" {
  value = aws_rds_cluster.cluster.master_user_secret[0].secret_arn
}
