# Made from deploy/settings/fields.cc, which a test compares it with: do not edit. Values come from
# `rr-deploy settings render --for terraform ENVIRONMENT`; times are in seconds.

variable "name" {
  description = "What everything of this tier is called, with the environment after it."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Which environment this is; the file has its name."
  type        = string
  nullable    = false
}

variable "application" {
  description = "The program behind the load balancer."
  type = object({
    name              = string
    folder            = string
    start_command     = string
    port              = number
    health_check_path = string
    runtime_packages  = list(string)
    version_from      = string
  })
  nullable = false
}

variable "unit" {
  description = "How systemd keeps the program."
  type = object({
    notify               = bool
    watchdog             = number
    restart_delay        = number
    stop_timeout         = number
    open_files           = number
    write_execute_memory = bool
  })
  nullable = false
}

variable "aws" {
  description = "Account, region and network."
  type = object({
    account             = string
    region              = string
    zones               = number
    vpc_id              = string
    subnet_ids          = list(string)
    instance_subnet_ids = list(string)
  })
  nullable = false
}

variable "instance" {
  description = "What an instance is."
  type = object({
    type             = string
    architecture     = string
    root_volume_size = number
    public_ip        = bool
  })
  nullable = false
}

variable "auto_scaling_group" {
  description = "How many instances there are and how they are replaced."
  type = object({
    min_size                  = number
    max_size                  = number
    desired_capacity          = number
    health_check_grace_period = number
    default_instance_warmup   = number
    min_healthy_percentage    = number
    max_healthy_percentage    = number
    termination_policies      = list(string)
  })
  nullable = false
}

variable "load_balancer" {
  description = "The front."
  type = object({
    http_port              = number
    https_port             = number
    certificate_arn        = string
    host_name              = string
    ssl_policy             = string
    allowed_cidrs          = list(string)
    idle_timeout           = number
    client_keep_alive      = number
    desync_mitigation_mode = string
    deletion_protection    = bool
    access_log_bucket      = string
  })
  nullable = false
}

variable "target_group" {
  description = "How instances are checked and left."
  type = object({
    deregistration_delay = number
    slow_start           = number
    health_check = object({
      interval            = number
      timeout             = number
      healthy_threshold   = number
      unhealthy_threshold = number
      matcher             = string
    })
  })
  nullable = false
}

variable "bake" {
  description = "How an image is made."
  type = object({
    base_image_parameter     = string
    instance_type            = string
    connect_timeout          = number
    cloudwatch_agent_version = string
    deprecate_after          = number
  })
  nullable = false
}

variable "release" {
  description = "How long a release may take and what is kept of it."
  type = object({
    deadline      = number
    poll_interval = number
    bake_time     = number
    patience      = number
    lock_timeout  = number
    keep_versions = number
    keep_images   = number
  })
  nullable = false
}

variable "verification" {
  description = "When a release counts as good."
  type = object({
    consecutive_answers = number
    minimum_instances   = number
    question_interval   = number
    answer_timeout      = number
    deadline            = number
  })
  nullable = false
}

variable "probe" {
  description = "What is asked during a rollout."
  type = object({
    interval         = number
    answer_timeout   = number
    allowed_failures = number
  })
  nullable = false
}

variable "alarms" {
  description = "Thresholds that end a release, and those that only tell somebody."
  type = object({
    period                       = number
    evaluation_periods           = number
    datapoints                   = number
    target_5xx_count             = number
    load_balancer_5xx_count      = number
    response_time_p99            = number
    rejected_connections         = number
    unhealthy_hosts              = number
    unhealthy_evaluation_periods = number
    unhealthy_datapoints         = number
    logged_errors                = number
    topic_arns                   = list(string)
  })
  nullable = false
}

variable "logs" {
  description = "The log group."
  type = object({
    retention_days = number
    kms_key_arn    = string
    error_pattern  = string
  })
  nullable = false
}

variable "artifacts" {
  description = "Where the fast lane's artifacts wait."
  type = object({
    bucket       = string
    prefix       = string
    expire_after = number
  })
  nullable = false
}

variable "ci" {
  description = "Who may do what from CI."
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
    state_bucket       = string
    state_key          = string
    release_timeout    = number
    game_day_schedule  = string
  })
  nullable = false
}

variable "simulator" {
  description = "The same tier on a laptop."
  type = object({
    listen = string
    ground = string
    speed  = number
  })
  nullable = false
}

variable "names" {
  description = "What everything is called, made of name and environment."
  type = object({
    tier                = string
    bake_profile        = string
    log_group           = string
    parameter_path      = string
    settings_parameter  = string
    release_parameter   = string
    lock_parameter      = string
    candidate_parameter = string
    alarm_prefix        = string
    watch_alarm_prefix  = string
    dashboard           = string
  })
  nullable = false
}
