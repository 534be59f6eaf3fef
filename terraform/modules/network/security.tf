# One resource a rule: groups that name each other would be a cycle otherwise, and a changed rule is one line of a plan.

resource "aws_security_group" "load_balancer" {
  name_prefix = "${var.name}-lb-"
  description = "The load balancer of ${var.name}."
  vpc_id      = data.aws_vpc.this.id

  tags = { Name = "${var.name}-lb" }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.found) >= var.zones
      error_message = "${data.aws_vpc.this.id} has subnets in ${length(local.found)} zones (${join(", ", local.found)}); aws.zones is ${var.zones}."
    }
  }
}

resource "aws_security_group" "instance" {
  name_prefix = "${var.name}-instance-"
  description = "Instances of ${var.name}: reached by the load balancer only."
  vpc_id      = data.aws_vpc.this.id

  tags = { Name = "${var.name}-instance" }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(var.instance_subnet_ids) == 0 || length(local.instance_zones) >= var.zones
      error_message = "aws.instance_subnet_ids are in ${length(local.instance_zones)} zones (${join(", ", local.instance_zones)}); aws.zones is ${var.zones}."
    }
  }
}

locals {
  front_rules = merge([
    for protocol, port in var.listener_ports : {
      for cidr in var.allowed_cidrs : "${protocol} from ${cidr}" => { port = port, cidr = cidr }
    }
  ]...)
}

resource "aws_vpc_security_group_ingress_rule" "front" {
  for_each = local.front_rules

  security_group_id = aws_security_group.load_balancer.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr

  tags = { Name = "${var.name} ${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "to_instances" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Requests and health checks, to instances only."
  ip_protocol                  = "tcp"
  from_port                    = var.application_port
  to_port                      = var.application_port
  referenced_security_group_id = aws_security_group.instance.id

  tags = { Name = "${var.name} to instances" }
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = aws_security_group.instance.id
  description                  = "Requests and health checks, from the load balancer only."
  ip_protocol                  = "tcp"
  from_port                    = var.application_port
  to_port                      = var.application_port
  referenced_security_group_id = aws_security_group.load_balancer.id

  tags = { Name = "${var.name} from the load balancer" }
}

# Session Manager, the logs, the artifact bucket and the distribution's packages are all HTTPS.
resource "aws_vpc_security_group_egress_rule" "https" {
  #checkov:skip=CKV_AWS_382: the ports are not all, and AWS's own services have no fixed addresses
  #trivy:ignore:AWS-0104 AWS's own services have no fixed addresses; with endpoints in the VPC their group can stand here
  security_group_id = aws_security_group.instance.id
  description       = "AWS services and packages."
  ip_protocol       = "tcp"
  from_port         = local.https
  to_port           = local.https
  cidr_ipv4         = "0.0.0.0/0"

  tags = { Name = "${var.name} https" }
}

locals {
  https = 443 # not a setting: where every AWS service listens
}
