variable "environment" {
  description = "Which one the roles are for; the tag Environment of what they may touch."
  type        = string
  nullable    = false
}

variable "app" {
  description = "The tag App of what the roles may touch."
  type        = string
  nullable    = false
}

variable "names" {
  description = "What everything is called."
  type = object({
    tier                = string
    bake_profile        = string
    log_group           = string
    parameter_path      = string
    candidate_parameter = string
    dashboard           = string
  })
  nullable = false
}

variable "ci" {
  description = "Repository, branch, environment and the roles' names."
  type = object({
    repository         = string
    oidc_provider      = string
    subject_prefix     = string
    branch             = string
    github_environment = string
    plan_role          = string
    apply_role         = string
    bake_role          = string
    deploy_role        = string
    role_session       = number
    state_key          = string
  })
  nullable = false
}

variable "region" {
  description = "Where the tier is."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Whose the tier is."
  type        = string
  nullable    = false
}

variable "partition" {
  description = "Of ARNs: aws, aws-cn, aws-us-gov."
  type        = string
  nullable    = false
}

variable "state_bucket_arn" {
  description = "Of Terraform's state."
  type        = string
  nullable    = false
}

variable "artifact_bucket" {
  description = "Of the fast lane, made by the tier's own apply."
  type        = string
  nullable    = false
}

variable "artifact_prefix" {
  description = "Of the artifacts."
  type        = string
  nullable    = false
}
