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

run "an_agent_without_its_build" {
  command         = plan
  expect_failures = [var.bake]
  variables {
    bake = merge(var.bake, { cloudwatch_agent_version = "1.300072.0" })
  }
}

run "no_subnet_at_all" {
  command         = plan
  expect_failures = [var.aws]
  variables {
    aws = merge(var.aws, { instance_subnet_ids = ["private"] })
  }
}
