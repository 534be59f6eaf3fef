# The whole tier in one plan: what the parts are given of each other, and the checks, which warn. Mocked provider.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_default_tags" {
    defaults = { tags = { App = "app" } }
  }
  override_data {
    target = module.network.data.aws_vpc.this
    values = { id = "vpc-00000001", enable_dns_support = true }
  }
  override_data {
    target = module.network.data.aws_subnets.candidates
    values = { ids = ["subnet-0000000a", "subnet-0000000b"] }
  }
  override_data {
    target = module.network.data.aws_subnet.candidate["subnet-0000000a"]
    values = { id = "subnet-0000000a", vpc_id = "vpc-00000001", availability_zone = "zone-a" }
  }
  override_data {
    target = module.network.data.aws_subnet.candidate["subnet-0000000b"]
    values = { id = "subnet-0000000b", vpc_id = "vpc-00000001", availability_zone = "zone-b" }
  }
  override_data {
    target = module.fleet.data.aws_ami.initial
    values = { id = "ami-00000001", architecture = "x86_64" }
  }
}

variables {
  aws              = merge(var.aws, { vpc_id = "", subnet_ids = [], instance_subnet_ids = [], zones = 2 })
  initial_image_id = "ami-00000001"
}

run "what_is_given_to_the_parts" {
  command = plan
  module { source = "./modules/tier" }
  variables {
    alarms = merge(var.alarms, { topic_arns = ["arn:aws:sns:${var.aws.region}:123456789012:on-call"] })
  }

  assert {
    condition     = output.log_group_name == var.names.log_group && output.dashboard_name == var.names.dashboard
    error_message = "The names are the settings'."
  }

  assert {
    condition     = jsonencode(output.zones) == jsonencode(["zone-a", "zone-b"])
    error_message = "Two zones."
  }
}

run "a_zone_without_an_instance" {
  command         = plan
  expect_failures = [check.a_zone_can_be_lost]
  module { source = "./modules/tier" }
  variables {
    alarms             = merge(var.alarms, { topic_arns = ["arn:aws:sns:${var.aws.region}:123456789012:on-call"] })
    auto_scaling_group = merge(var.auto_scaling_group, { min_size = 1, desired_capacity = 1 })
    verification       = merge(var.verification, { minimum_instances = 1 })
  }
}

run "an_alarm_that_nobody_hears" {
  command         = plan
  expect_failures = [check.somebody_is_told]
  module { source = "./modules/tier" }
  variables {
    alarms        = merge(var.alarms, { topic_arns = [] })
    load_balancer = merge(var.load_balancer, { deletion_protection = true })
  }
}

run "an_image_that_is_none" {
  command         = plan
  expect_failures = [var.initial_image_id]
  module { source = "./modules/tier" }
  variables {
    initial_image_id = "latest"
    alarms           = merge(var.alarms, { topic_arns = ["arn:aws:sns:${var.aws.region}:123456789012:on-call"] })
  }
}
