variable "names" {
  description = "What log group, alarms and dashboard are called."
  type = object({
    tier               = string
    log_group          = string
    alarm_prefix       = string
    watch_alarm_prefix = string
    dashboard          = string
  })
  nullable = false
}

variable "region" {
  description = "Of the dashboard's metrics."
  type        = string
  nullable    = false
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

variable "alarms" {
  description = "Thresholds, and who is told."
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

variable "desired_capacity" {
  description = "With fewer healthy instances somebody is told."
  type        = number
  nullable    = false
}

variable "load_balancer_arn_suffix" {
  description = "The load balancer as metrics name it."
  type        = string
  nullable    = false
}

variable "target_group_arn_suffix" {
  description = "The target group as metrics name it."
  type        = string
  nullable    = false
}
