# Made from deploy/settings/fields.cc, which a test compares it with: do not edit. Values come from
# `rr-deploy settings render --for terraform ENVIRONMENT`; times are in seconds.

variable "name" {
  description = "What everything of this tier is called, with the environment after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:[a-z][a-z0-9-]{0,22}[a-z0-9])$", var.name))
    error_message = "name: ${jsonencode(var.name)}: 2 to 24 lower-case letters, digits and hyphens, such as round-robin is right."
  }
}

variable "environment" {
  description = "Which environment this is; the file has its name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(?:[a-z][a-z0-9-]{0,14}[a-z0-9])$", var.environment))
    error_message = "environment: ${jsonencode(var.environment)}: 2 to 16 lower-case letters, digits and hyphens, such as production is right."
  }
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

  validation {
    condition     = can(regex("^(?:[a-z][a-z0-9-]{0,29}[a-z0-9])$", var.application.name))
    error_message = "application.name: ${jsonencode(var.application.name)}: 2 to 31 lower-case letters, digits and hyphens, such as rr-webapp is right."
  }

  validation {
    condition     = can(regex("^(?:[ -~]{0,512})$", var.application.folder))
    error_message = "application.folder: ${jsonencode(var.application.folder)}: a folder, or nothing is right."
  }

  validation {
    condition     = can(regex("^(?:[!-~][ -~]{0,511})$", var.application.start_command))
    error_message = "application.start_command: ${jsonencode(var.application.start_command)}: one line of at most 512 characters, such as node server.js is right."
  }

  validation {
    condition     = var.application.port >= 1 && var.application.port <= 65535 && floor(var.application.port) == var.application.port
    error_message = "application.port: ${jsonencode(var.application.port)}: 1 to 65535 is right."
  }

  validation {
    condition     = can(regex("^(?:/[!-~]{0,999})$", var.application.health_check_path))
    error_message = "application.health_check_path: ${jsonencode(var.application.health_check_path)}: a path such as /healthz is right."
  }

  validation {
    condition     = alltrue([for one in var.application.runtime_packages : can(regex("^(?:[A-Za-z0-9][A-Za-z0-9._+-]{0,127})$", one))])
    error_message = "application.runtime_packages: ${jsonencode(var.application.runtime_packages)}: names of packages, such as nodejs is right."
  }

  validation {
    condition     = can(regex("^(?:none|path(:/[!-~]{0,255})?|header:[A-Za-z0-9-]{1,64})$", var.application.version_from))
    error_message = "application.version_from: ${jsonencode(var.application.version_from)}: path, path:/version, header:NAME or none is right."
  }
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

  validation {
    condition     = var.unit.watchdog >= 1 && var.unit.watchdog <= 3600 && floor(var.unit.watchdog) == var.unit.watchdog
    error_message = "unit.watchdog: ${jsonencode(var.unit.watchdog)}: 1s to 1h, in whole seconds is right."
  }

  validation {
    condition     = var.unit.restart_delay >= 0 && var.unit.restart_delay <= 3600 && floor(var.unit.restart_delay) == var.unit.restart_delay
    error_message = "unit.restart_delay: ${jsonencode(var.unit.restart_delay)}: 0s to 1h, in whole seconds is right."
  }

  validation {
    condition     = var.unit.stop_timeout >= 1 && var.unit.stop_timeout <= 7200 && floor(var.unit.stop_timeout) == var.unit.stop_timeout
    error_message = "unit.stop_timeout: ${jsonencode(var.unit.stop_timeout)}: 1s to 2h, in whole seconds is right."
  }

  validation {
    condition     = var.unit.open_files >= 1024 && var.unit.open_files <= 1048576 && floor(var.unit.open_files) == var.unit.open_files
    error_message = "unit.open_files: ${jsonencode(var.unit.open_files)}: 1024 to 1048576 is right."
  }
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

  validation {
    condition     = can(regex("^(?:([0-9]{12})?)$", var.aws.account))
    error_message = "aws.account: ${jsonencode(var.aws.account)}: 12 digits, or nothing is right."
  }

  validation {
    condition     = can(regex("^(?:[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9])$", var.aws.region))
    error_message = "aws.region: ${jsonencode(var.aws.region)}: a region such as eu-west-1 is right."
  }

  validation {
    condition     = var.aws.zones >= 2 && var.aws.zones <= 6 && floor(var.aws.zones) == var.aws.zones
    error_message = "aws.zones: ${jsonencode(var.aws.zones)}: 2 to 6 is right."
  }

  validation {
    condition     = can(regex("^(?:(vpc-[0-9a-f]{8,17})?)$", var.aws.vpc_id))
    error_message = "aws.vpc_id: ${jsonencode(var.aws.vpc_id)}: a VPC's id, or nothing is right."
  }

  validation {
    condition     = alltrue([for one in var.aws.subnet_ids : can(regex("^(?:subnet-[0-9a-f]{8,17})$", one))])
    error_message = "aws.subnet_ids: ${jsonencode(var.aws.subnet_ids)}: ids of subnets is right."
  }

  validation {
    condition     = alltrue([for one in var.aws.instance_subnet_ids : can(regex("^(?:subnet-[0-9a-f]{8,17})$", one))])
    error_message = "aws.instance_subnet_ids: ${jsonencode(var.aws.instance_subnet_ids)}: ids of subnets is right."
  }
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

  validation {
    condition     = can(regex("^(?:[a-z][a-z0-9-]{1,15}[.][a-z0-9-]{2,16})$", var.instance.type))
    error_message = "instance.type: ${jsonencode(var.instance.type)}: a type such as t3.micro is right."
  }

  validation {
    condition     = contains(["x86_64", "arm64"], var.instance.architecture)
    error_message = "instance.architecture: ${jsonencode(var.instance.architecture)}: one of x86_64, arm64 is right."
  }

  validation {
    condition     = var.instance.root_volume_size >= 8 && var.instance.root_volume_size <= 1024 && floor(var.instance.root_volume_size) == var.instance.root_volume_size
    error_message = "instance.root_volume_size: ${jsonencode(var.instance.root_volume_size)}: 8 to 1024 is right."
  }
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

  validation {
    condition     = var.auto_scaling_group.min_size >= 1 && var.auto_scaling_group.min_size <= 500 && floor(var.auto_scaling_group.min_size) == var.auto_scaling_group.min_size
    error_message = "auto_scaling_group.min_size: ${jsonencode(var.auto_scaling_group.min_size)}: 1 to 500 is right."
  }

  validation {
    condition     = var.auto_scaling_group.max_size >= 1 && var.auto_scaling_group.max_size <= 1000 && floor(var.auto_scaling_group.max_size) == var.auto_scaling_group.max_size
    error_message = "auto_scaling_group.max_size: ${jsonencode(var.auto_scaling_group.max_size)}: 1 to 1000 is right."
  }

  validation {
    condition     = var.auto_scaling_group.desired_capacity >= 1 && var.auto_scaling_group.desired_capacity <= 500 && floor(var.auto_scaling_group.desired_capacity) == var.auto_scaling_group.desired_capacity
    error_message = "auto_scaling_group.desired_capacity: ${jsonencode(var.auto_scaling_group.desired_capacity)}: 1 to 500 is right."
  }

  validation {
    condition     = var.auto_scaling_group.health_check_grace_period >= 0 && var.auto_scaling_group.health_check_grace_period <= 7200 && floor(var.auto_scaling_group.health_check_grace_period) == var.auto_scaling_group.health_check_grace_period
    error_message = "auto_scaling_group.health_check_grace_period: ${jsonencode(var.auto_scaling_group.health_check_grace_period)}: 0s to 2h, in whole seconds is right."
  }

  validation {
    condition     = var.auto_scaling_group.default_instance_warmup >= 0 && var.auto_scaling_group.default_instance_warmup <= 21600 && floor(var.auto_scaling_group.default_instance_warmup) == var.auto_scaling_group.default_instance_warmup
    error_message = "auto_scaling_group.default_instance_warmup: ${jsonencode(var.auto_scaling_group.default_instance_warmup)}: 0s to 6h, in whole seconds is right."
  }

  validation {
    condition     = var.auto_scaling_group.min_healthy_percentage >= 0 && var.auto_scaling_group.min_healthy_percentage <= 100 && floor(var.auto_scaling_group.min_healthy_percentage) == var.auto_scaling_group.min_healthy_percentage
    error_message = "auto_scaling_group.min_healthy_percentage: ${jsonencode(var.auto_scaling_group.min_healthy_percentage)}: 0 to 100 is right."
  }

  validation {
    condition     = var.auto_scaling_group.max_healthy_percentage >= 100 && var.auto_scaling_group.max_healthy_percentage <= 200 && floor(var.auto_scaling_group.max_healthy_percentage) == var.auto_scaling_group.max_healthy_percentage
    error_message = "auto_scaling_group.max_healthy_percentage: ${jsonencode(var.auto_scaling_group.max_healthy_percentage)}: 100 to 200 is right."
  }

  validation {
    condition     = alltrue([for one in var.auto_scaling_group.termination_policies : contains(["Default", "AllocationStrategy", "OldestLaunchTemplate", "OldestInstance", "NewestInstance", "ClosestToNextInstanceHour"], one)])
    error_message = "auto_scaling_group.termination_policies: ${jsonencode(var.auto_scaling_group.termination_policies)}: one of Default, AllocationStrategy, OldestLaunchTemplate, OldestInstance, NewestInstance, ClosestToNextInstanceHour is right."
  }
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

  validation {
    condition     = var.load_balancer.http_port >= 1 && var.load_balancer.http_port <= 65535 && floor(var.load_balancer.http_port) == var.load_balancer.http_port
    error_message = "load_balancer.http_port: ${jsonencode(var.load_balancer.http_port)}: 1 to 65535 is right."
  }

  validation {
    condition     = var.load_balancer.https_port >= 1 && var.load_balancer.https_port <= 65535 && floor(var.load_balancer.https_port) == var.load_balancer.https_port
    error_message = "load_balancer.https_port: ${jsonencode(var.load_balancer.https_port)}: 1 to 65535 is right."
  }

  validation {
    condition     = can(regex("^(?:(arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+)?)$", var.load_balancer.certificate_arn))
    error_message = "load_balancer.certificate_arn: ${jsonencode(var.load_balancer.certificate_arn)}: a certificate's ARN, or nothing is right."
  }

  validation {
    condition     = can(regex("^(?:([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+)?)$", var.load_balancer.host_name))
    error_message = "load_balancer.host_name: ${jsonencode(var.load_balancer.host_name)}: a name such as www.example.org, or nothing is right."
  }

  validation {
    condition     = can(regex("^(?:ELBSecurityPolicy-[A-Za-z0-9-]{1,64})$", var.load_balancer.ssl_policy))
    error_message = "load_balancer.ssl_policy: ${jsonencode(var.load_balancer.ssl_policy)}: a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06 is right."
  }

  validation {
    condition     = alltrue([for one in var.load_balancer.allowed_cidrs : can(regex("^(?:[0-9]{1,3}([.][0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2]))$", one))])
    error_message = "load_balancer.allowed_cidrs: ${jsonencode(var.load_balancer.allowed_cidrs)}: IPv4 blocks such as 0.0.0.0/0 is right."
  }

  validation {
    condition     = var.load_balancer.idle_timeout >= 1 && var.load_balancer.idle_timeout <= 4000 && floor(var.load_balancer.idle_timeout) == var.load_balancer.idle_timeout
    error_message = "load_balancer.idle_timeout: ${jsonencode(var.load_balancer.idle_timeout)}: 1s to 4000s, in whole seconds is right."
  }

  validation {
    condition     = var.load_balancer.client_keep_alive >= 60 && var.load_balancer.client_keep_alive <= 604800 && floor(var.load_balancer.client_keep_alive) == var.load_balancer.client_keep_alive
    error_message = "load_balancer.client_keep_alive: ${jsonencode(var.load_balancer.client_keep_alive)}: 1m to 168h, in whole seconds is right."
  }

  validation {
    condition     = contains(["monitor", "defensive", "strictest"], var.load_balancer.desync_mitigation_mode)
    error_message = "load_balancer.desync_mitigation_mode: ${jsonencode(var.load_balancer.desync_mitigation_mode)}: one of monitor, defensive, strictest is right."
  }

  validation {
    condition     = can(regex("^(?:([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?)$", var.load_balancer.access_log_bucket))
    error_message = "load_balancer.access_log_bucket: ${jsonencode(var.load_balancer.access_log_bucket)}: a bucket's name, or nothing is right."
  }
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

  validation {
    condition     = var.target_group.deregistration_delay >= 0 && var.target_group.deregistration_delay <= 3600 && floor(var.target_group.deregistration_delay) == var.target_group.deregistration_delay
    error_message = "target_group.deregistration_delay: ${jsonencode(var.target_group.deregistration_delay)}: 0s to 1h, in whole seconds is right."
  }

  validation {
    condition     = var.target_group.slow_start >= 0 && var.target_group.slow_start <= 900 && floor(var.target_group.slow_start) == var.target_group.slow_start
    error_message = "target_group.slow_start: ${jsonencode(var.target_group.slow_start)}: 0s to 15m, in whole seconds is right."
  }

  validation {
    condition     = var.target_group.health_check.interval >= 5 && var.target_group.health_check.interval <= 300 && floor(var.target_group.health_check.interval) == var.target_group.health_check.interval
    error_message = "target_group.health_check.interval: ${jsonencode(var.target_group.health_check.interval)}: 5s to 5m, in whole seconds is right."
  }

  validation {
    condition     = var.target_group.health_check.timeout >= 2 && var.target_group.health_check.timeout <= 120 && floor(var.target_group.health_check.timeout) == var.target_group.health_check.timeout
    error_message = "target_group.health_check.timeout: ${jsonencode(var.target_group.health_check.timeout)}: 2s to 2m, in whole seconds is right."
  }

  validation {
    condition     = var.target_group.health_check.healthy_threshold >= 2 && var.target_group.health_check.healthy_threshold <= 10 && floor(var.target_group.health_check.healthy_threshold) == var.target_group.health_check.healthy_threshold
    error_message = "target_group.health_check.healthy_threshold: ${jsonencode(var.target_group.health_check.healthy_threshold)}: 2 to 10 is right."
  }

  validation {
    condition     = var.target_group.health_check.unhealthy_threshold >= 2 && var.target_group.health_check.unhealthy_threshold <= 10 && floor(var.target_group.health_check.unhealthy_threshold) == var.target_group.health_check.unhealthy_threshold
    error_message = "target_group.health_check.unhealthy_threshold: ${jsonencode(var.target_group.health_check.unhealthy_threshold)}: 2 to 10 is right."
  }

  validation {
    condition     = can(regex("^(?:[2-4][0-9]{2}([,-][2-4][0-9]{2}){0,9})$", var.target_group.health_check.matcher))
    error_message = "target_group.health_check.matcher: ${jsonencode(var.target_group.health_check.matcher)}: codes from 200 to 499, such as 200, 200,202 or 200-299 is right."
  }
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

  validation {
    condition     = can(regex("^(?:/[A-Za-z0-9_./{}-]{1,511})$", var.bake.base_image_parameter))
    error_message = "bake.base_image_parameter: ${jsonencode(var.bake.base_image_parameter)}: a parameter's path is right."
  }

  validation {
    condition     = can(regex("^(?:[a-z][a-z0-9-]{1,15}[.][a-z0-9-]{2,16})$", var.bake.instance_type))
    error_message = "bake.instance_type: ${jsonencode(var.bake.instance_type)}: a type such as t3.small is right."
  }

  validation {
    condition     = var.bake.connect_timeout >= 10 && var.bake.connect_timeout <= 3600 && floor(var.bake.connect_timeout) == var.bake.connect_timeout
    error_message = "bake.connect_timeout: ${jsonencode(var.bake.connect_timeout)}: 10s to 1h, in whole seconds is right."
  }

  validation {
    condition     = can(regex("^(?:[0-9]{1,8}([.][0-9]{1,8}){2}b[0-9]{1,8})$", var.bake.cloudwatch_agent_version))
    error_message = "bake.cloudwatch_agent_version: ${jsonencode(var.bake.cloudwatch_agent_version)}: a version with its build, such as 1.300072.0b1766 is right."
  }

  validation {
    condition     = var.bake.deprecate_after >= 3600 && var.bake.deprecate_after <= 315360000 && floor(var.bake.deprecate_after) == var.bake.deprecate_after
    error_message = "bake.deprecate_after: ${jsonencode(var.bake.deprecate_after)}: 1h to 87600h, in whole seconds is right."
  }
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

  validation {
    condition     = var.release.deadline >= 60 && var.release.deadline <= 21600 && floor(var.release.deadline) == var.release.deadline
    error_message = "release.deadline: ${jsonencode(var.release.deadline)}: 1m to 6h, in whole seconds is right."
  }

  validation {
    condition     = var.release.poll_interval >= 1 && var.release.poll_interval <= 60 && floor(var.release.poll_interval) == var.release.poll_interval
    error_message = "release.poll_interval: ${jsonencode(var.release.poll_interval)}: 1s to 1m, in whole seconds is right."
  }

  validation {
    condition     = var.release.bake_time >= 0 && var.release.bake_time <= 172800 && floor(var.release.bake_time) == var.release.bake_time
    error_message = "release.bake_time: ${jsonencode(var.release.bake_time)}: 0s to 48h, in whole seconds is right."
  }

  validation {
    condition     = var.release.patience >= 1 && var.release.patience <= 3600 && floor(var.release.patience) == var.release.patience
    error_message = "release.patience: ${jsonencode(var.release.patience)}: 1s to 1h, in whole seconds is right."
  }

  validation {
    condition     = var.release.lock_timeout >= 6 && var.release.lock_timeout <= 3600 && floor(var.release.lock_timeout) == var.release.lock_timeout
    error_message = "release.lock_timeout: ${jsonencode(var.release.lock_timeout)}: 6s to 1h, in whole seconds is right."
  }

  validation {
    condition     = var.release.keep_versions >= 2 && var.release.keep_versions <= 1000 && floor(var.release.keep_versions) == var.release.keep_versions
    error_message = "release.keep_versions: ${jsonencode(var.release.keep_versions)}: 2 to 1000 is right."
  }

  validation {
    condition     = var.release.keep_images >= 2 && var.release.keep_images <= 1000 && floor(var.release.keep_images) == var.release.keep_images
    error_message = "release.keep_images: ${jsonencode(var.release.keep_images)}: 2 to 1000 is right."
  }
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

  validation {
    condition     = var.verification.consecutive_answers >= 1 && var.verification.consecutive_answers <= 10000 && floor(var.verification.consecutive_answers) == var.verification.consecutive_answers
    error_message = "verification.consecutive_answers: ${jsonencode(var.verification.consecutive_answers)}: 1 to 10000 is right."
  }

  validation {
    condition     = var.verification.minimum_instances >= 1 && var.verification.minimum_instances <= 500 && floor(var.verification.minimum_instances) == var.verification.minimum_instances
    error_message = "verification.minimum_instances: ${jsonencode(var.verification.minimum_instances)}: 1 to 500 is right."
  }

  validation {
    condition     = var.verification.question_interval >= 0.01 && var.verification.question_interval <= 60
    error_message = "verification.question_interval: ${jsonencode(var.verification.question_interval)}: 10ms to 1m is right."
  }

  validation {
    condition     = var.verification.answer_timeout >= 0.1 && var.verification.answer_timeout <= 60
    error_message = "verification.answer_timeout: ${jsonencode(var.verification.answer_timeout)}: 100ms to 1m is right."
  }

  validation {
    condition     = var.verification.deadline >= 1 && var.verification.deadline <= 3600 && floor(var.verification.deadline) == var.verification.deadline
    error_message = "verification.deadline: ${jsonencode(var.verification.deadline)}: 1s to 1h, in whole seconds is right."
  }
}

variable "probe" {
  description = "What is asked during a rollout."
  type = object({
    interval         = number
    answer_timeout   = number
    allowed_failures = number
  })
  nullable = false

  validation {
    condition     = var.probe.interval >= 0.02 && var.probe.interval <= 60
    error_message = "probe.interval: ${jsonencode(var.probe.interval)}: 20ms to 1m is right."
  }

  validation {
    condition     = var.probe.answer_timeout >= 0.1 && var.probe.answer_timeout <= 60
    error_message = "probe.answer_timeout: ${jsonencode(var.probe.answer_timeout)}: 100ms to 1m is right."
  }

  validation {
    condition     = var.probe.allowed_failures >= 0 && var.probe.allowed_failures <= 100000 && floor(var.probe.allowed_failures) == var.probe.allowed_failures
    error_message = "probe.allowed_failures: ${jsonencode(var.probe.allowed_failures)}: 0 to 100000 is right."
  }
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

  validation {
    condition     = var.alarms.period >= 60 && var.alarms.period <= 3600 && floor(var.alarms.period) == var.alarms.period
    error_message = "alarms.period: ${jsonencode(var.alarms.period)}: 1m to 1h, in whole seconds is right."
  }

  validation {
    condition     = var.alarms.evaluation_periods >= 1 && var.alarms.evaluation_periods <= 60 && floor(var.alarms.evaluation_periods) == var.alarms.evaluation_periods
    error_message = "alarms.evaluation_periods: ${jsonencode(var.alarms.evaluation_periods)}: 1 to 60 is right."
  }

  validation {
    condition     = var.alarms.datapoints >= 1 && var.alarms.datapoints <= 60 && floor(var.alarms.datapoints) == var.alarms.datapoints
    error_message = "alarms.datapoints: ${jsonencode(var.alarms.datapoints)}: 1 to 60 is right."
  }

  validation {
    condition     = var.alarms.target_5xx_count >= 1 && var.alarms.target_5xx_count <= 1000000 && floor(var.alarms.target_5xx_count) == var.alarms.target_5xx_count
    error_message = "alarms.target_5xx_count: ${jsonencode(var.alarms.target_5xx_count)}: 1 to 1000000 is right."
  }

  validation {
    condition     = var.alarms.load_balancer_5xx_count >= 1 && var.alarms.load_balancer_5xx_count <= 1000000 && floor(var.alarms.load_balancer_5xx_count) == var.alarms.load_balancer_5xx_count
    error_message = "alarms.load_balancer_5xx_count: ${jsonencode(var.alarms.load_balancer_5xx_count)}: 1 to 1000000 is right."
  }

  validation {
    condition     = var.alarms.response_time_p99 >= 0.01 && var.alarms.response_time_p99 <= 60
    error_message = "alarms.response_time_p99: ${jsonencode(var.alarms.response_time_p99)}: 10ms to 1m is right."
  }

  validation {
    condition     = var.alarms.rejected_connections >= 1 && var.alarms.rejected_connections <= 1000000 && floor(var.alarms.rejected_connections) == var.alarms.rejected_connections
    error_message = "alarms.rejected_connections: ${jsonencode(var.alarms.rejected_connections)}: 1 to 1000000 is right."
  }

  validation {
    condition     = var.alarms.unhealthy_hosts >= 1 && var.alarms.unhealthy_hosts <= 500 && floor(var.alarms.unhealthy_hosts) == var.alarms.unhealthy_hosts
    error_message = "alarms.unhealthy_hosts: ${jsonencode(var.alarms.unhealthy_hosts)}: 1 to 500 is right."
  }

  validation {
    condition     = var.alarms.unhealthy_evaluation_periods >= 1 && var.alarms.unhealthy_evaluation_periods <= 60 && floor(var.alarms.unhealthy_evaluation_periods) == var.alarms.unhealthy_evaluation_periods
    error_message = "alarms.unhealthy_evaluation_periods: ${jsonencode(var.alarms.unhealthy_evaluation_periods)}: 1 to 60 is right."
  }

  validation {
    condition     = var.alarms.unhealthy_datapoints >= 1 && var.alarms.unhealthy_datapoints <= 60 && floor(var.alarms.unhealthy_datapoints) == var.alarms.unhealthy_datapoints
    error_message = "alarms.unhealthy_datapoints: ${jsonencode(var.alarms.unhealthy_datapoints)}: 1 to 60 is right."
  }

  validation {
    condition     = var.alarms.logged_errors >= 1 && var.alarms.logged_errors <= 1000000 && floor(var.alarms.logged_errors) == var.alarms.logged_errors
    error_message = "alarms.logged_errors: ${jsonencode(var.alarms.logged_errors)}: 1 to 1000000 is right."
  }

  validation {
    condition     = alltrue([for one in var.alarms.topic_arns : can(regex("^(?:arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})$", one))])
    error_message = "alarms.topic_arns: ${jsonencode(var.alarms.topic_arns)}: ARNs of SNS topics is right."
  }
}

variable "logs" {
  description = "The log group."
  type = object({
    retention_days = number
    kms_key_arn    = string
    error_pattern  = string
  })
  nullable = false

  validation {
    condition     = var.logs.retention_days >= 1 && var.logs.retention_days <= 3653 && floor(var.logs.retention_days) == var.logs.retention_days
    error_message = "logs.retention_days: ${jsonencode(var.logs.retention_days)}: 1 to 3653 is right."
  }

  validation {
    condition     = can(regex("^(?:(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?)$", var.logs.kms_key_arn))
    error_message = "logs.kms_key_arn: ${jsonencode(var.logs.kms_key_arn)}: a key's ARN, or nothing is right."
  }

  validation {
    condition     = can(regex("^(?:[ -~]{0,256})$", var.logs.error_pattern))
    error_message = "logs.error_pattern: ${jsonencode(var.logs.error_pattern)}: a filter pattern on one line, or nothing is right."
  }
}

variable "artifacts" {
  description = "Where the fast lane's artifacts wait."
  type = object({
    bucket       = string
    prefix       = string
    expire_after = number
  })
  nullable = false

  validation {
    condition     = can(regex("^(?:[a-z0-9][a-z0-9.{}-]{1,70})$", var.artifacts.bucket))
    error_message = "artifacts.bucket: ${jsonencode(var.artifacts.bucket)}: a bucket's name, {account} in it or not is right."
  }

  validation {
    condition     = can(regex("^(?:[a-z0-9][a-z0-9/_-]{0,127})$", var.artifacts.prefix))
    error_message = "artifacts.prefix: ${jsonencode(var.artifacts.prefix)}: a prefix without a slash at its ends is right."
  }

  validation {
    condition     = var.artifacts.expire_after >= 86400 && var.artifacts.expire_after <= 315360000 && floor(var.artifacts.expire_after) == var.artifacts.expire_after
    error_message = "artifacts.expire_after: ${jsonencode(var.artifacts.expire_after)}: 24h to 87600h, in whole seconds is right."
  }
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

  validation {
    condition     = can(regex("^(?:([A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})?)$", var.ci.repository))
    error_message = "ci.repository: ${jsonencode(var.ci.repository)}: ORG/NAME, or nothing is right."
  }

  validation {
    condition     = contains(["create", "existing"], var.ci.oidc_provider)
    error_message = "ci.oidc_provider: ${jsonencode(var.ci.oidc_provider)}: one of create, existing is right."
  }

  validation {
    condition     = can(regex("^(?:repo:[A-Za-z0-9_./{}@-]{1,250})$", var.ci.subject_prefix))
    error_message = "ci.subject_prefix: ${jsonencode(var.ci.subject_prefix)}: repo:{repository} is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9][A-Za-z0-9._/-]{0,127})$", var.ci.branch))
    error_message = "ci.branch: ${jsonencode(var.ci.branch)}: a branch such as main is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9_-]{1,64})$", var.ci.github_environment))
    error_message = "ci.github_environment: ${jsonencode(var.ci.github_environment)}: an environment's name is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9+=,.@_-]{1,64})$", var.ci.plan_role))
    error_message = "ci.plan_role: ${jsonencode(var.ci.plan_role)}: a role's name is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9+=,.@_-]{1,64})$", var.ci.apply_role))
    error_message = "ci.apply_role: ${jsonencode(var.ci.apply_role)}: a role's name is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9+=,.@_-]{1,64})$", var.ci.bake_role))
    error_message = "ci.bake_role: ${jsonencode(var.ci.bake_role)}: a role's name is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9+=,.@_-]{1,64})$", var.ci.deploy_role))
    error_message = "ci.deploy_role: ${jsonencode(var.ci.deploy_role)}: a role's name is right."
  }

  validation {
    condition     = var.ci.role_session >= 3600 && var.ci.role_session <= 43200 && floor(var.ci.role_session) == var.ci.role_session
    error_message = "ci.role_session: ${jsonencode(var.ci.role_session)}: 1h to 12h, in whole seconds is right."
  }

  validation {
    condition     = can(regex("^(?:[a-z0-9][a-z0-9.{}-]{1,70})$", var.ci.state_bucket))
    error_message = "ci.state_bucket: ${jsonencode(var.ci.state_bucket)}: a bucket's name, {account} in it or not is right."
  }

  validation {
    condition     = can(regex("^(?:[A-Za-z0-9][A-Za-z0-9._/-]{0,255})$", var.ci.state_key))
    error_message = "ci.state_key: ${jsonencode(var.ci.state_key)}: an object's key is right."
  }

  validation {
    condition     = var.ci.release_timeout >= 300 && var.ci.release_timeout <= 43200 && floor(var.ci.release_timeout) == var.ci.release_timeout
    error_message = "ci.release_timeout: ${jsonencode(var.ci.release_timeout)}: 5m to 12h, in whole seconds is right."
  }

  validation {
    condition     = can(regex("^(?:[0-9*/,-]{1,20}( [0-9*/,-]{1,20}){4})$", var.ci.game_day_schedule))
    error_message = "ci.game_day_schedule: ${jsonencode(var.ci.game_day_schedule)}: five fields such as 17 5 * * 1 is right."
  }
}

variable "simulator" {
  description = "The same tier on a laptop."
  type = object({
    listen = string
    ground = string
    speed  = number
  })
  nullable = false

  validation {
    condition     = can(regex("^(?:[0-9a-fA-F.:\\[\\]]{3,45}:[0-9]{1,5})$", var.simulator.listen))
    error_message = "simulator.listen: ${jsonencode(var.simulator.listen)}: an address with a port, such as 127.0.0.1:8080 is right."
  }

  validation {
    condition     = contains(["auto", "namespaces", "plain"], var.simulator.ground)
    error_message = "simulator.ground: ${jsonencode(var.simulator.ground)}: one of auto, namespaces, plain is right."
  }

  validation {
    condition     = var.simulator.speed >= 1 && var.simulator.speed <= 1000 && floor(var.simulator.speed) == var.simulator.speed
    error_message = "simulator.speed: ${jsonencode(var.simulator.speed)}: 1 to 1000 is right."
  }
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
