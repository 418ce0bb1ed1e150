# Costs nothing. Sessions do not need it; the package repositories of Amazon Linux, which are S3 buckets of the region, do.
resource "aws_vpc_endpoint" "s3_endpoint" {
  vpc_id            = local.vpc
  service_name      = "com.amazonaws.${data.aws_region.here.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [local.private_route_table]
  tags              = { Name = "${var.name} s3" }
}
