# No provider, no network. The values come by -var-file from `rr-deploy settings render --for terraform ENVIRONMENT`.

run "the_environment_is_in_order" {
  command = plan

  assert {
    condition     = length(output.broken_rules) == 0
    error_message = join("\n", output.broken_rules)
  }

  assert {
    condition     = jsondecode(output.document).application.port == var.application.port
    error_message = "The document does not hold the settings."
  }

  assert {
    condition     = !can(jsondecode(output.document).names)
    error_message = "Names are made, not set: the reader of the document would refuse them."
  }
}

run "a_port_above_the_range" {
  command         = plan
  expect_failures = [var.application]
  variables {
    application = merge(var.application, { port = 65536 })
  }
}

run "a_port_below_the_range" {
  command         = plan
  expect_failures = [var.application]
  variables {
    application = merge(var.application, { port = 0 })
  }
}

run "half_a_port" {
  command         = plan
  expect_failures = [var.application]
  variables {
    application = merge(var.application, { port = 80.5 })
  }
}

run "a_path_that_is_none" {
  command         = plan
  expect_failures = [var.application]
  variables {
    application = merge(var.application, { health_check_path = "healthz" })
  }
}

run "another_architecture" {
  command         = plan
  expect_failures = [var.instance]
  variables {
    instance = merge(var.instance, { architecture = "sparc" })
  }
}

run "a_region_that_is_none" {
  command         = plan
  expect_failures = [var.aws]
  variables {
    aws = merge(var.aws, { region = "Ireland" })
  }
}

run "a_block_that_is_none" {
  command         = plan
  expect_failures = [var.load_balancer]
  variables {
    load_balancer = merge(var.load_balancer, { allowed_cidrs = ["everybody"] })
  }
}

run "a_policy_that_is_none" {
  command         = plan
  expect_failures = [var.auto_scaling_group]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { termination_policies = ["Oldest"] })
  }
}

run "a_type_of_another_architecture" {
  command         = plan
  expect_failures = [output.document]
  variables {
    instance = merge(var.instance, { architecture = var.instance.architecture == "arm64" ? "x86_64" : "arm64" })
  }
}

run "no_room_for_a_release" {
  command         = plan
  expect_failures = [output.document]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { max_size = 2 * var.auto_scaling_group.desired_capacity - 1 })
  }
}

run "fewer_than_the_least" {
  command         = plan
  expect_failures = [output.document]
  variables {
    auto_scaling_group = merge(var.auto_scaling_group, { min_size = var.auto_scaling_group.desired_capacity + 1 })
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
}

run "killed_while_it_drains" {
  command         = plan
  expect_failures = [output.document]
  variables {
    unit = merge(var.unit, { stop_timeout = var.target_group.deregistration_delay })
  }
}

run "one_port_for_two" {
  command         = plan
  expect_failures = [output.document]
  variables {
    load_balancer = merge(var.load_balancer, { https_port = var.load_balancer.http_port })
  }
}

run "one_subnet" {
  command         = plan
  expect_failures = [output.document]
  variables {
    aws = merge(var.aws, { subnet_ids = ["subnet-0123456789abcdef0"] })
  }
}

run "a_bake_that_no_alarm_can_end" {
  command         = plan
  expect_failures = [output.document]
  variables {
    release = merge(var.release, { bake_time = var.alarms.period - 1 })
  }
}

run "a_step_that_cloudwatch_has_not" {
  command         = plan
  expect_failures = [output.document]
  variables {
    logs = merge(var.logs, { retention_days = 2 })
  }
}

run "one_role_for_two" {
  command         = plan
  expect_failures = [output.document]
  variables {
    ci = merge(var.ci, { bake_role = var.names.bake_profile })
  }
}

run "a_tier_with_too_long_a_name" {
  command         = plan
  expect_failures = [output.document]
  variables {
    names = merge(var.names, { tier = "abcdefghijklmnopqrstuvwxyz" })
  }
}
