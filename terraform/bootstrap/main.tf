# What an account needs once, by somebody with an administrator's credentials: the bucket of the state, and the roles that
# CI takes. `rr-deploy bootstrap` makes the empty bucket by one call of its own, so that this root's state can lie in it,
# and then applies this; both may be repeated.

module "settings" {
  source = "../modules/settings"

  name               = var.name
  environment        = var.environment
  application        = var.application
  unit               = var.unit
  aws                = var.aws
  instance           = var.instance
  auto_scaling_group = var.auto_scaling_group
  load_balancer      = var.load_balancer
  target_group       = var.target_group
  bake               = var.bake
  release            = var.release
  verification       = var.verification
  probe              = var.probe
  alarms             = var.alarms
  logs               = var.logs
  artifacts          = var.artifacts
  ci                 = var.ci
  simulator          = var.simulator
  names              = var.names
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account_id   = data.aws_caller_identity.current.account_id
  state_bucket = replace(module.settings.ci.state_bucket, "{account}", local.account_id)
}

module "state" {
  source = "../modules/state"

  bucket                   = local.state_bucket
  encrypted_transport_only = !var.local_endpoint
}

import {
  for_each = var.state_bucket_exists ? toset([local.state_bucket]) : toset([])
  to       = module.state.aws_s3_bucket.this
  id       = each.value
}

module "ci_roles" {
  source = "../modules/ci_roles"

  app              = module.settings.name
  environment      = module.settings.environment
  names            = module.settings.names
  ci               = module.settings.ci
  region           = module.settings.aws.region
  account_id       = local.account_id
  partition        = data.aws_partition.current.partition
  state_bucket_arn = module.state.bucket_arn
  artifact_bucket  = replace(module.settings.artifacts.bucket, "{account}", local.account_id)
  artifact_prefix  = module.settings.artifacts.prefix
}
