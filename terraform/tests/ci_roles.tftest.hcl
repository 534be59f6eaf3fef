# Who may take which role, and that none of them may do everything. Mocked provider.

mock_provider "aws" {}

variables {
  app              = var.name
  region           = "zone"
  account_id       = "123456789012"
  partition        = "aws"
  state_bucket_arn = "arn:aws:s3:::state"
  artifact_bucket  = "artifacts"
  artifact_prefix  = var.artifacts.prefix
  ci               = merge(var.ci, { repository = "org/repo" })
}

run "roles_trust_one_repository_and_what_it_is_doing" {
  command = apply
  module { source = "./modules/ci_roles" }

  assert {
    condition     = toset(keys(aws_iam_role.ci)) == toset(["plan", "apply", "bake", "deploy"])
    error_message = "Four roles."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.ci : alltrue([
        for subject in flatten([jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]]) :
        startswith(subject, "repo:org/repo:") && !strcontains(subject, "*")
      ])
    ])
    error_message = "A role would trust more than the repository."
  }

  assert {
    condition     = output.subjects.deploy == ["repo:org/repo:environment:${var.ci.github_environment}"] && output.subjects.bake == ["repo:org/repo:ref:refs/heads/${var.ci.branch}"]
    error_message = "The environment releases, the branch bakes."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.ci :
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    ])
    error_message = "The audience is checked."
  }
}

run "no_role_may_do_everything" {
  command = apply
  module { source = "./modules/ci_roles" }

  assert {
    condition = alltrue([
      for statement in flatten(values(output.policies)) : alltrue([
        for action in flatten([statement.Action]) : action != "*" && !endswith(action, ":*")
      ])
    ])
    error_message = "A statement allows all of a service."
  }

  # What may be done to anything, without a condition, only looks.
  assert {
    condition = alltrue([
      for statement in flatten(values(output.policies)) : alltrue([
        for action in flatten([statement.Action]) : can(regex(":(Describe|Get|List|Filter)", action))
      ]) if flatten([statement.Resource])[0] == "*" && !can(statement.Condition)
    ])
    error_message = "A statement changes things anywhere."
  }

  assert {
    condition = alltrue([
      for statement in flatten(values(output.policies)) : can(statement.Condition.StringEquals["iam:PassedToService"])
      if contains(flatten([statement.Action]), "iam:PassRole")
    ])
    error_message = "A role could be passed to another service."
  }

  assert {
    condition = !anytrue([
      for statement in concat(output.policies.deploy, output.policies.bake, output.policies.plan) : anytrue([
        for action in flatten([statement.Action]) : can(regex("^(iam:(Create|Put|Attach|Update|Delete)|ec2:GetPasswordData)", action))
      ])
    ])
    error_message = "Only apply may change roles, and nobody reads passwords."
  }

  # A group of somebody else's must not be opened: whatever touches one asks for the tags that are there, or that are made.
  assert {
    condition = alltrue([
      for statement in flatten(values(output.policies)) : can(statement.Condition.StringEquals["aws:ResourceTag/App"]) || (
        can(statement.Condition.StringEquals["aws:RequestTag/App"]) &&
        alltrue([for action in flatten([statement.Action]) : can(regex("^ec2:(Create|Import|Run)", action))])
      )
      if anytrue([for resource in flatten([statement.Resource]) : strcontains(resource, ":security-group/")]) &&
      !can(statement.Condition.StringEquals["ec2:CreateAction"])
    ])
    error_message = "A security group that is not the tier's own could be changed."
  }

  assert {
    condition     = alltrue([for purpose, statements in output.policies : length(jsonencode(statements)) < 10240])
    error_message = "A policy is longer than AWS takes."
  }
}

run "a_plan_changes_nothing" {
  command = apply
  module { source = "./modules/ci_roles" }

  assert {
    condition = alltrue(flatten([
      for statement in output.policies.plan : [
        for action in flatten([statement.Action]) : can(regex("^[a-z0-9-]+:(Describe|Get|List)", action))
      ]
    ]))
    error_message = "The plan's role may change something."
  }
}

run "a_policy_that_is_too_long" {
  command         = plan
  expect_failures = [check.policies_fit]
  module { source = "./modules/ci_roles" }
  variables {
    artifact_prefix = join("", [for number in range(1000) : "0123456789"])
  }
}

run "in_china_everything_is_of_chinas_partition" {
  command = apply
  module { source = "./modules/ci_roles" }
  variables {
    partition        = "aws-cn"
    state_bucket_arn = "arn:aws-cn:s3:::state"
  }

  assert {
    condition = alltrue([
      for arn in flatten([
        flatten([for statement in flatten(values(output.policies)) : flatten([statement.Resource])]),
        [for role in aws_iam_role.ci : jsondecode(role.assume_role_policy).Statement[0].Principal.Federated],
      ]) : arn == "*" || startswith(arn, "arn:aws-cn:")
    ])
    error_message = "An ARN of another partition matches nothing there."
  }

  assert {
    condition = alltrue([
      for service in concat(
        [jsondecode(aws_iam_role.bake.assume_role_policy).Statement[0].Principal.Service],
        [
          for statement in flatten(values(output.policies)) : statement.Condition.StringEquals["iam:PassedToService"]
          if can(statement.Condition.StringEquals["iam:PassedToService"])
        ]
      ) : service == "ec2.amazonaws.com.cn"
    ])
    error_message = "EC2 has another name there."
  }
}

run "an_account_has_one_identity_provider" {
  command = plan
  module { source = "./modules/ci_roles" }
  variables {
    ci = merge(var.ci, { repository = "org/repo", oidc_provider = "existing" })
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && length(aws_iam_role.ci) == 4
    error_message = "A second environment takes the provider that the first made."
  }
}

run "without_a_repository_there_are_no_roles" {
  command = apply
  module { source = "./modules/ci_roles" }
  variables {
    ci = merge(var.ci, { repository = "" })
  }

  assert {
    condition     = length(aws_iam_role.ci) == 0 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "A role that trusts nobody in particular."
  }

  assert {
    condition     = aws_iam_instance_profile.bake.name == var.names.bake_profile
    error_message = "A bake by hand needs its profile all the same."
  }
}
