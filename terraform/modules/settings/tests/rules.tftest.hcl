# Each rule between several settings is broken by itself, and named. No provider, no network. A test of the repository looks
# whether every rule of rules.tf is here.

run "fewer_than_the_least" {
  command         = plan
  expect_failures = [output.document]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { min_size = var.auto_scaling_group.desired_capacity + 1 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["auto_scaling_group.desired_capacity: at least min_size is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "no_room_for_a_release" {
  command         = plan
  expect_failures = [output.document]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { max_size = 2 * var.auto_scaling_group.desired_capacity - 1 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["auto_scaling_group.max_size: at least twice desired_capacity is right: a release launches before it terminates"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "three_times_as_many_at_once" {
  command         = plan
  expect_failures = [output.document]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { min_healthy_percentage = 99, max_healthy_percentage = 200 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["auto_scaling_group.max_healthy_percentage: at most 100 above min_healthy_percentage is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "no_policy_at_all" {
  command         = plan
  expect_failures = [output.document]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { termination_policies = [] })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["auto_scaling_group.termination_policies: at least one is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_timeout_as_long_as_the_interval" {
  command         = plan
  expect_failures = [output.document]
  variables {
    target_group = merge(var.target_group, {
      health_check = merge(var.target_group.health_check, { timeout = var.target_group.health_check.interval })
    })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["target_group.health_check.interval: more than timeout is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_slow_start_that_aws_has_not" {
  command         = plan
  expect_failures = [output.document]
  variables {
    target_group = merge(var.target_group, { slow_start = 29 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["target_group.slow_start: 0, or at least 30 is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "killed_while_it_drains" {
  command         = plan
  expect_failures = [output.document]
  variables {
    unit = merge(var.unit, { stop_timeout = var.target_group.deregistration_delay })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["unit.stop_timeout: more than target_group.deregistration_delay is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "one_port_for_two" {
  command         = plan
  expect_failures = [output.document]
  variables {
    load_balancer = merge(var.load_balancer, { https_port = var.load_balancer.http_port })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["load_balancer.https_port: another port than http_port is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "nobody_may_connect" {
  command         = plan
  expect_failures = [output.document]
  variables {
    load_balancer = merge(var.load_balancer, { allowed_cidrs = [] })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["load_balancer.allowed_cidrs: at least one block is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "one_subnet" {
  command         = plan
  expect_failures = [output.document]
  variables {
    aws = merge(var.aws, { subnet_ids = ["subnet-0123456789abcdef0"] })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["aws.subnet_ids: none, or at least zones is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "one_subnet_for_the_instances" {
  command         = plan
  expect_failures = [output.document]
  variables {
    aws = merge(var.aws, { instance_subnet_ids = ["subnet-0123456789abcdef0"] })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["aws.instance_subnet_ids: none, or at least zones is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_type_of_another_architecture" {
  command         = plan
  expect_failures = [output.document]
  variables {
    instance = merge(var.instance, { type = var.instance.architecture == "arm64" ? "t3.micro" : "t4g.micro" })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["instance.type: a type of instance.architecture is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_bake_of_another_architecture" {
  command         = plan
  expect_failures = [output.document]
  variables {
    bake = merge(var.bake, { instance_type = var.instance.architecture == "arm64" ? "t3.small" : "t4g.small" })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["bake.instance_type: a type of instance.architecture is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "more_answers_than_instances" {
  command         = plan
  expect_failures = [output.document]
  variables {
    verification = merge(var.verification, { minimum_instances = var.auto_scaling_group.desired_capacity + 1 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["verification.minimum_instances: at most auto_scaling_group.desired_capacity is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_deadline_before_the_bake_is_over" {
  command         = plan
  expect_failures = [output.document]
  variables {
    release = merge(var.release, { deadline = 600, bake_time = 600, lock_timeout = 3600 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["release.deadline: more than release.bake_time is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_bake_that_no_alarm_can_end" {
  command         = plan
  expect_failures = [output.document]
  variables {
    release = merge(var.release, { bake_time = var.alarms.period * var.alarms.datapoints - 1 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["release.bake_time: 0, or at least alarms.period times datapoints is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_lock_that_is_renewed_too_late" {
  command         = plan
  expect_failures = [output.document]
  variables {
    release = merge(var.release, { poll_interval = 60, lock_timeout = 359 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["release.lock_timeout: at least six times release.poll_interval is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "patience_beyond_the_deadline" {
  command         = plan
  expect_failures = [output.document]
  variables {
    release = merge(var.release, { patience = var.release.deadline + 1 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["release.deadline: at least release.patience is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_region_of_a_partition_that_nobody_tried" {
  command         = plan
  expect_failures = [output.document]
  variables {
    aws = merge(var.aws, { region = "us-iso-east-1" })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["aws.region: a region of the partition aws, aws-cn or aws-us-gov is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_certificate_that_nobody_can_verify" {
  command         = plan
  expect_failures = [output.document]
  variables {
    load_balancer = merge(var.load_balancer, {
      host_name       = ""
      certificate_arn = "arn:aws:acm:${var.aws.region}:123456789012:certificate/0"
    })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["load_balancer.host_name: with certificate_arn the name that the certificate is for is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "an_image_without_its_version" {
  command         = plan
  expect_failures = [output.document]
  variables {
    release = merge(var.release, { keep_versions = 2, keep_images = 3 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["release.keep_versions: at least keep_images is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_job_that_ends_in_the_middle_of_going_back" {
  command         = plan
  expect_failures = [output.document]
  variables {
    ci = merge(var.ci, { release_timeout = 2 * var.release.deadline })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["ci.release_timeout: more than twice release.deadline is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "half_a_minute" {
  command         = plan
  expect_failures = [output.document]
  variables {
    alarms  = merge(var.alarms, { period = 90 })
    release = merge(var.release, { bake_time = 0 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["alarms.period: whole minutes are right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "more_datapoints_than_periods" {
  command         = plan
  expect_failures = [output.document]
  variables {
    alarms  = merge(var.alarms, { datapoints = var.alarms.evaluation_periods + 1 })
    release = merge(var.release, { bake_time = 0 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["alarms.datapoints: at most evaluation_periods is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "more_unhealthy_datapoints_than_periods" {
  command         = plan
  expect_failures = [output.document]
  variables {
    alarms = merge(var.alarms, { unhealthy_datapoints = var.alarms.unhealthy_evaluation_periods + 1 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["alarms.unhealthy_datapoints: at most unhealthy_evaluation_periods is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_step_that_cloudwatch_has_not" {
  command         = plan
  expect_failures = [output.document]
  variables {
    logs = merge(var.logs, { retention_days = 2 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["logs.retention_days: one of CloudWatch's steps is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_day_and_an_hour" {
  command         = plan
  expect_failures = [output.document]
  variables {
    artifacts = merge(var.artifacts, { expire_after = 25 * 3600 })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["artifacts.expire_after: whole days are right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "a_tier_with_too_long_a_name" {
  command         = plan
  expect_failures = [output.document]
  variables {
    names = merge(var.names, { tier = "abcdefghijklmnopqrstuvwxyz" })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["names.tier: 25 characters or less are right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}

run "one_role_for_two" {
  command         = plan
  expect_failures = [output.document]
  variables {
    ci = merge(var.ci, { bake_role = var.names.bake_profile })
  }

  assert {
    condition     = jsonencode(output.broken_rules) == jsonencode(["ci: a name of its own for each role is right"])
    error_message = "Broken: ${jsonencode(output.broken_rules)}"
  }
}
