variable "name" {
  description = "Of group, launch template, role and instance profile."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "One of each zone."
  type        = list(string)
  nullable    = false
}

variable "security_group_id" {
  description = "Of the instances."
  type        = string
  nullable    = false
}

variable "target_group_arn" {
  description = "Where instances are registered."
  type        = string
  nullable    = false
}

variable "initial_image_id" {
  description = "Of the first apply; empty in later ones."
  type        = string
  nullable    = false
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
  description = "How many there are and how they are replaced."
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

variable "capacity_timeout" {
  description = "Seconds that the first instances have until they are healthy."
  type        = number
  nullable    = false
}

variable "default_tags" {
  description = "The provider's; an Auto Scaling group passes none of them on by itself."
  type        = map(string)
  nullable    = false
}

variable "partition" {
  description = "Of ARNs: aws, aws-cn, aws-us-gov."
  type        = string
  nullable    = false
}

variable "log_group_arn" {
  description = "Where instances may write."
  type        = string
  nullable    = false
}

variable "artifacts_arn" {
  description = "Objects that instances may read at boot."
  type        = string
  nullable    = false
}
