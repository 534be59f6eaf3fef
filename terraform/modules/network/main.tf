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

# Instances may have subnets of their own, which nobody reaches from outside.
data "aws_subnet" "instance" {
  for_each = toset(var.instance_subnet_ids)
  id       = each.value

  lifecycle {
    postcondition {
      condition     = self.vpc_id == data.aws_vpc.this.id
      error_message = "${self.id} is in ${self.vpc_id}, not in ${data.aws_vpc.this.id}."
    }

    # A load balancer sends nothing to a zone that it has no subnet in.
    postcondition {
      condition     = contains(local.zones, self.availability_zone)
      error_message = "${self.id} is in ${self.availability_zone}, where the load balancer has no subnet: it is in ${join(", ", local.zones)}."
    }
  }
}

locals {
  # One subnet a zone, as a load balancer demands; the first by name and id, so that the choice is the same each time.
  by_zone    = { for subnet in data.aws_subnet.candidate : subnet.availability_zone => subnet.id... }
  found      = sort(keys(local.by_zone))
  zones      = slice(local.found, 0, min(var.zones, length(local.found)))
  subnet_ids = [for zone in local.zones : sort(local.by_zone[zone])[0]]

  instance_zones      = distinct([for subnet in data.aws_subnet.instance : subnet.availability_zone])
  instance_subnet_ids = length(var.instance_subnet_ids) == 0 ? local.subnet_ids : sort(var.instance_subnet_ids)
}
