# The shape of the tier, of whatever root. What is released into it (image, launch-template version, instance refresh) is not
# Terraform's: see ../../README.md, "Who owns what".

module "settings" {
  source = "../settings"

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

data "aws_default_tags" "current" {}

locals {
  names      = module.settings.names
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
}

module "network" {
  source = "../network"

  name                = local.names.tier
  vpc_id              = module.settings.aws.vpc_id
  subnet_ids          = module.settings.aws.subnet_ids
  instance_subnet_ids = module.settings.aws.instance_subnet_ids
  zones               = module.settings.aws.zones
  listener_ports      = local.listener_ports
  allowed_cidrs       = module.settings.load_balancer.allowed_cidrs
  application_port    = module.settings.application.port
}

locals {
  # Without a certificate nothing listens for HTTPS.
  listener_ports = module.settings.load_balancer.certificate_arn == "" ? {
    http = module.settings.load_balancer.http_port
    } : {
    http  = module.settings.load_balancer.http_port
    https = module.settings.load_balancer.https_port
  }
}

module "load_balancer" {
  source = "../load_balancer"

  name              = local.names.tier
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.subnet_ids
  security_group_id = module.network.load_balancer_security_group_id
  load_balancer     = module.settings.load_balancer
  target_group      = module.settings.target_group
  application       = module.settings.application
}

module "observability" {
  source = "../observability"

  names                    = local.names
  region                   = module.settings.aws.region
  logs                     = module.settings.logs
  alarms                   = module.settings.alarms
  desired_capacity         = module.settings.auto_scaling_group.desired_capacity
  load_balancer_arn_suffix = module.load_balancer.load_balancer_arn_suffix
  target_group_arn_suffix  = module.load_balancer.target_group_arn_suffix
}

module "release_store" {
  source = "../release_store"

  names                    = local.names
  bucket                   = replace(module.settings.artifacts.bucket, "{account}", local.account_id)
  prefix                   = module.settings.artifacts.prefix
  expire_after             = module.settings.artifacts.expire_after
  encrypted_transport_only = !var.local_endpoint
  force_destroy            = !module.settings.load_balancer.deletion_protection
  settings_json            = module.settings.document
}

module "fleet" {
  source = "../fleet"

  name               = local.names.tier
  subnet_ids         = module.network.instance_subnet_ids
  security_group_id  = module.network.instance_security_group_id
  target_group_arn   = module.load_balancer.target_group_arn
  initial_image_id   = var.initial_image_id
  instance           = module.settings.instance
  auto_scaling_group = module.settings.auto_scaling_group
  capacity_timeout   = module.settings.release.deadline
  default_tags       = data.aws_default_tags.current.tags
  partition          = local.partition
  log_group_arn      = module.observability.log_group_arn
  artifacts_arn      = "${module.release_store.bucket_arn}/${module.settings.artifacts.prefix}/*"
}
