variable "name" {
  description = "The tier's name: at most 25 characters, because the target group's adds seven."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "Where the targets are."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "One of each zone."
  type        = list(string)
  nullable    = false
}

variable "security_group_id" {
  description = "Of the load balancer."
  type        = string
  nullable    = false
}

variable "load_balancer" {
  description = "The front."
  type = object({
    http_port              = number
    https_port             = number
    certificate_arn        = string
    host_name              = string
    ssl_policy             = string
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

variable "application" {
  description = "Where the application listens and says that it is well."
  type = object({
    port              = number
    health_check_path = string
  })
  nullable = false
}
