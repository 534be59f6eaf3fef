# What must hold between several settings (each by itself is checked in variables.tf). No provider, no network: tested
# offline. `rr-deploy` refuses the same before Terraform is started; this is for who calls Terraform alone.

locals {
  graviton = "^([a-z]+[0-9]+g[a-z]*|a1)[.]"

  rules = {
    "auto_scaling_group.desired_capacity: at least min_size is right" = (
      var.auto_scaling_group.desired_capacity >= var.auto_scaling_group.min_size
    )
    "auto_scaling_group.max_size: at least twice desired_capacity is right: a release launches before it terminates" = (
      var.auto_scaling_group.max_size >= 2 * var.auto_scaling_group.desired_capacity
    )
    "auto_scaling_group.max_healthy_percentage: at most 100 above min_healthy_percentage is right" = (
      var.auto_scaling_group.max_healthy_percentage - var.auto_scaling_group.min_healthy_percentage <= 100
    )
    "auto_scaling_group.termination_policies: at least one is right" = (
      length(var.auto_scaling_group.termination_policies) > 0
    )
    "target_group.health_check.interval: more than timeout is right" = (
      var.target_group.health_check.interval > var.target_group.health_check.timeout
    )
    "target_group.slow_start: 0, or at least 30 is right" = (
      var.target_group.slow_start == 0 || var.target_group.slow_start >= 30 # not a setting: AWS's range
    )
    "unit.stop_timeout: more than target_group.deregistration_delay is right" = (
      var.unit.stop_timeout > var.target_group.deregistration_delay
    )
    "load_balancer.https_port: another port than http_port is right" = (
      var.load_balancer.https_port != var.load_balancer.http_port
    )
    "load_balancer.host_name: with certificate_arn the name that the certificate is for is right" = (
      var.load_balancer.certificate_arn == "" || var.load_balancer.host_name != ""
    )
    "load_balancer.allowed_cidrs: at least one block is right"                 = length(var.load_balancer.allowed_cidrs) > 0
    "aws.region: a region of the partition aws, aws-cn or aws-us-gov is right" = !can(regex("^(us-iso|eu-iso|eusc-)", var.aws.region))
    "aws.subnet_ids: none, or at least zones is right" = (
      length(var.aws.subnet_ids) == 0 || length(var.aws.subnet_ids) >= var.aws.zones
    )
    "aws.instance_subnet_ids: none, or at least zones is right" = (
      length(var.aws.instance_subnet_ids) == 0 || length(var.aws.instance_subnet_ids) >= var.aws.zones
    )
    "instance.type: a type of instance.architecture is right" = (
      can(regex(local.graviton, var.instance.type)) == (var.instance.architecture == "arm64")
    )
    "bake.instance_type: a type of instance.architecture is right" = (
      can(regex(local.graviton, var.bake.instance_type)) == (var.instance.architecture == "arm64")
    )
    "verification.minimum_instances: at most auto_scaling_group.desired_capacity is right" = (
      var.verification.minimum_instances <= var.auto_scaling_group.desired_capacity
    )
    "release.deadline: more than release.bake_time is right" = var.release.deadline > var.release.bake_time
    "release.bake_time: 0, or at least alarms.period times datapoints is right" = (
      var.release.bake_time == 0 || var.release.bake_time >= var.alarms.period * var.alarms.datapoints
    )
    "release.deadline: at least release.patience is right" = var.release.deadline >= var.release.patience
    "release.lock_timeout: at least six times release.poll_interval is right" = (
      var.release.lock_timeout >= 6 * var.release.poll_interval # not a setting: the looks in a lock's life
    )
    "release.keep_versions: at least keep_images is right"          = var.release.keep_versions >= var.release.keep_images
    "ci.release_timeout: more than twice release.deadline is right" = var.ci.release_timeout > 2 * var.release.deadline
    "alarms.period: whole minutes are right"                        = var.alarms.period % 60 == 0 # not a setting: AWS's step
    "alarms.datapoints: at most evaluation_periods is right"        = var.alarms.datapoints <= var.alarms.evaluation_periods
    "alarms.unhealthy_datapoints: at most unhealthy_evaluation_periods is right" = (
      var.alarms.unhealthy_datapoints <= var.alarms.unhealthy_evaluation_periods
    )
    # not a setting: what CloudWatch takes
    "logs.retention_days: one of CloudWatch's steps is right" = contains(local.retention_steps, var.logs.retention_days)
    "artifacts.expire_after: whole days are right"            = var.artifacts.expire_after % local.seconds_of_a_day == 0
    "names.tier: 25 characters or less are right"             = length(var.names.tier) <= 25 # not a setting: AWS allows 32
    "ci: a name of its own for each role is right"            = length(local.role_names) == length(distinct(local.role_names))
  }

  role_names = [
    var.names.tier, var.names.bake_profile, var.ci.plan_role, var.ci.apply_role, var.ci.bake_role, var.ci.deploy_role
  ]

  seconds_of_a_day = 24 * 60 * 60 # not a setting: the calendar
  # not a setting: what CloudWatch takes
  retention_steps = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]

  broken = [for message, holds in local.rules : message if !holds]
}
