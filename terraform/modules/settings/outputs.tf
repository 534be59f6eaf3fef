# The settings, passed on. One of them has the precondition that no rule is broken, which stops the whole plan.

locals {
  document = {
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
  }
}

output "broken_rules" {
  description = "What does not go together; empty when all is well."
  value       = local.broken
}

output "document" {
  description = "All settings as one line of JSON, for Parameter Store; `rr-deploy` reads it where there is no checkout."
  value       = jsonencode(local.document)

  precondition {
    condition     = length(local.broken) == 0
    error_message = join("\n", local.broken)
  }
}

output "name" {
  description = "Of the tier."
  value       = var.name
}

output "environment" {
  description = "Which one this is."
  value       = var.environment
}

output "application" {
  description = "The program behind the load balancer."
  value       = var.application
}

output "aws" {
  description = "Account, region and network."
  value       = var.aws
}

output "instance" {
  description = "What an instance is."
  value       = var.instance
}

output "auto_scaling_group" {
  description = "How many instances there are and how they are replaced."
  value       = var.auto_scaling_group
}

output "load_balancer" {
  description = "The front."
  value       = var.load_balancer
}

output "target_group" {
  description = "How instances are checked and left."
  value       = var.target_group
}

output "release" {
  description = "How long a release may take."
  value       = var.release
}

output "alarms" {
  description = "Thresholds."
  value       = var.alarms
}

output "logs" {
  description = "The log group."
  value       = var.logs
}

output "artifacts" {
  description = "The fast lane's bucket."
  value       = var.artifacts
}

output "ci" {
  description = "Who may do what from CI."
  value       = var.ci
}

output "names" {
  description = "What everything is called."
  value       = var.names
}
