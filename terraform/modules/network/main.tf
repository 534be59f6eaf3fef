# The VPC that is there, one subnet of each of its first zones, and two security groups.

data "aws_vpc" "this" {
  id      = var.vpc_id == "" ? null : var.vpc_id
  default = var.vpc_id == "" ? true : null

  lifecycle {
    postcondition {
      condition     = self.enable_dns_support
      error_message = "${self.id} has no DNS: instances would find neither Session Manager nor the logs. Enable DNS support."
    }
  }
}

data "aws_subnets" "candidates" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.this.id]
  }

  # A default VPC has one such subnet in each zone; what else is in it was made for something else.
  dynamic "filter" {
    for_each = var.vpc_id == "" && length(var.subnet_ids) == 0 ? [true] : []
    content {
      name   = "default-for-az"
      values = ["true"]
    }
  }
}

data "aws_subnet" "candidate" {
  for_each = toset(length(var.subnet_ids) == 0 ? data.aws_subnets.candidates.ids : var.subnet_ids)
  id       = each.value

  lifecycle {
    postcondition {
      condition     = self.vpc_id == data.aws_vpc.this.id
      error_message = "${self.id} is in ${self.vpc_id}, not in ${data.aws_vpc.this.id}."
    }
  }
}

locals {
  # One subnet a zone, as a load balancer demands; the first by name and id, so that the choice is the same each time.
  by_zone    = { for subnet in data.aws_subnet.candidate : subnet.availability_zone => subnet.id... }
  found      = sort(keys(local.by_zone))
  zones      = slice(local.found, 0, min(var.zones, length(local.found)))
  subnet_ids = [for zone in local.zones : sort(local.by_zone[zone])[0]]
}
