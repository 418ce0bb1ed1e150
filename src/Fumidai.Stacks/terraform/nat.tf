# One gateway, in one zone: a second one doubles the price and only helps the bastion when a whole zone is lost.
resource "aws_eip" "nat_address" {
  domain     = "vpc"
  tags       = { Name = "${var.name} NAT" }
  depends_on = [aws_internet_gateway.internet_gateway]
}

resource "aws_nat_gateway" "nat_gateway" {
  subnet_id     = local.public_subnet_a
  allocation_id = aws_eip.nat_address.id
  tags          = { Name = var.name }
}

resource "aws_route" "private_default_route" {
  route_table_id         = local.private_route_table
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.nat_gateway.id
}
