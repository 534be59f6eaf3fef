# The two security groups and the choice of subnets, with a mocked provider.

mock_provider "aws" {
  override_data {
    target = data.aws_vpc.this
    values = { id = "vpc-00000001", enable_dns_support = true }
  }
  override_data {
    target = data.aws_subnets.candidates
    values = { ids = ["subnet-0000000d", "subnet-0000000c", "subnet-0000000a", "subnet-0000000b"] }
  }
  override_data {
    target = data.aws_subnet.candidate["subnet-0000000a"]
    values = { id = "subnet-0000000a", vpc_id = "vpc-00000001", availability_zone = "zone-a" }
  }
  override_data {
    target = data.aws_subnet.candidate["subnet-0000000b"]
    values = { id = "subnet-0000000b", vpc_id = "vpc-00000001", availability_zone = "zone-b" }
  }
  override_data {
    target = data.aws_subnet.candidate["subnet-0000000c"]
    values = { id = "subnet-0000000c", vpc_id = "vpc-00000001", availability_zone = "zone-a" }
  }
  override_data {
    target = data.aws_subnet.candidate["subnet-0000000d"]
    values = { id = "subnet-0000000d", vpc_id = "vpc-00000001", availability_zone = "zone-c" }
  }
  override_data {
    target = data.aws_subnet.instance["subnet-000000a1"]
    values = { id = "subnet-000000a1", vpc_id = "vpc-00000001", availability_zone = "zone-a" }
  }
  override_data {
    target = data.aws_subnet.instance["subnet-000000b1"]
    values = { id = "subnet-000000b1", vpc_id = "vpc-00000001", availability_zone = "zone-b" }
  }
}

variables {
  name                = "tier"
  vpc_id              = ""
  subnet_ids          = []
  instance_subnet_ids = []
  zones               = 2
  listener_ports      = { http = var.load_balancer.http_port }
  allowed_cidrs       = ["192.0.2.0/24", "198.51.100.0/24"]
  application_port    = var.application.port
}

run "one_subnet_a_zone_and_always_the_same" {
  command = apply
  module { source = "./modules/network" }

  assert {
    condition     = jsonencode(output.instance_subnet_ids) == jsonencode(output.subnet_ids)
    error_message = "Without subnets of their own the instances are in the load balancer's."
  }

  assert {
    condition     = jsonencode([output.subnet_ids, output.zones]) == jsonencode([["subnet-0000000a", "subnet-0000000b"], ["zone-a", "zone-b"]])
    error_message = "The first subnet by id of each zone was wanted: ${jsonencode(output.subnet_ids)}"
  }
}

run "outside_reaches_the_load_balancer_and_nothing_else" {
  command = apply
  module { source = "./modules/network" }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.front : rule.cidr_ipv4]) == toset(var.allowed_cidrs)
    error_message = "One rule for each block."
  }

  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.front :
      rule.security_group_id == aws_security_group.load_balancer.id && rule.from_port == var.load_balancer.http_port && rule.to_port == rule.from_port
    ])
    error_message = "The listener's port only, and only of the load balancer."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.from_load_balancer.cidr_ipv4 == null &&
      aws_vpc_security_group_ingress_rule.from_load_balancer.referenced_security_group_id == aws_security_group.load_balancer.id &&
      aws_vpc_security_group_ingress_rule.from_load_balancer.from_port == var.application.port
    )
    error_message = "Instances are reached by the load balancer's group only."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.to_instances.referenced_security_group_id == aws_security_group.instance.id
    error_message = "The load balancer reaches instances only."
  }
}

run "with_https_there_are_twice_as_many_rules" {
  command = apply
  module { source = "./modules/network" }
  variables {
    listener_ports = { http = var.load_balancer.http_port, https = var.load_balancer.https_port }
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.front) == 2 * length(var.allowed_cidrs)
    error_message = "A rule for each block and port."
  }
}

run "instances_leave_by_https_only" {
  command = apply
  module { source = "./modules/network" }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.https.security_group_id == aws_security_group.instance.id &&
      aws_vpc_security_group_egress_rule.https.ip_protocol == "tcp" &&
      aws_vpc_security_group_egress_rule.https.from_port == 443 &&
      aws_vpc_security_group_egress_rule.https.to_port == 443
    )
    error_message = "Another port leads out."
  }

  assert {
    condition = alltrue([
      for rule in concat(values(aws_vpc_security_group_ingress_rule.front), [
        aws_vpc_security_group_ingress_rule.from_load_balancer, aws_vpc_security_group_egress_rule.to_instances,
        aws_vpc_security_group_egress_rule.https
      ]) : rule.description != "" && lookup(rule.tags, "Name", "") != ""
    ])
    error_message = "Each rule says what it is for."
  }
}

run "instances_in_subnets_of_their_own" {
  command = apply
  module { source = "./modules/network" }
  variables {
    instance_subnet_ids = ["subnet-000000b1", "subnet-000000a1"]
  }

  assert {
    condition     = jsonencode(output.instance_subnet_ids) == jsonencode(["subnet-000000a1", "subnet-000000b1"])
    error_message = "The instances' subnets are those that were named: ${jsonencode(output.instance_subnet_ids)}"
  }

  assert {
    condition     = jsonencode(output.subnet_ids) == jsonencode(["subnet-0000000a", "subnet-0000000b"])
    error_message = "The load balancer stays in its own."
  }
}

run "an_instance_where_the_load_balancer_is_not" {
  command         = plan
  expect_failures = [data.aws_subnet.instance]
  module { source = "./modules/network" }
  variables {
    instance_subnet_ids = ["subnet-000000a1", "subnet-000000b1"]
  }

  override_data {
    target = data.aws_subnet.instance["subnet-000000b1"]
    values = { id = "subnet-000000b1", vpc_id = "vpc-00000001", availability_zone = "zone-c" }
  }
}

run "an_instance_in_another_vpc" {
  command         = plan
  expect_failures = [data.aws_subnet.instance]
  module { source = "./modules/network" }
  variables {
    instance_subnet_ids = ["subnet-000000a1", "subnet-000000b1"]
  }

  override_data {
    target = data.aws_subnet.instance["subnet-000000b1"]
    values = { id = "subnet-000000b1", vpc_id = "vpc-00000002", availability_zone = "zone-b" }
  }
}

run "all_instances_in_one_zone" {
  command         = plan
  expect_failures = [aws_security_group.instance]
  module { source = "./modules/network" }
  variables {
    instance_subnet_ids = ["subnet-000000a1"]
  }
}

run "too_few_zones" {
  command         = plan
  expect_failures = [aws_security_group.load_balancer]
  module { source = "./modules/network" }
  variables {
    zones = 4 # there are three
  }
}

run "a_subnet_of_another_vpc" {
  command         = plan
  expect_failures = [data.aws_subnet.candidate]
  module { source = "./modules/network" }

  override_data {
    target = data.aws_subnet.candidate["subnet-0000000b"]
    values = { id = "subnet-0000000b", vpc_id = "vpc-00000002", availability_zone = "zone-b" }
  }
}

run "a_vpc_without_dns" {
  command         = plan
  expect_failures = [data.aws_vpc.this]
  module { source = "./modules/network" }

  override_data {
    target = data.aws_vpc.this
    values = { id = "vpc-00000001", enable_dns_support = false }
  }
}
