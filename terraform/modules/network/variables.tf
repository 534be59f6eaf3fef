variable "name" {
  description = "The tier's name, of the security groups too."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "Empty: the default VPC."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Of the load balancer. Empty: one subnet of each zone."
  type        = list(string)
  nullable    = false
}

variable "instance_subnet_ids" {
  description = "Of the instances, in the same zones. Empty: those of the load balancer."
  type        = list(string)
  nullable    = false
}

variable "zones" {
  description = "How many zones the tier stands in."
  type        = number
  nullable    = false
}

variable "listener_ports" {
  description = "The load balancer's ports, by protocol."
  type        = map(number)
  nullable    = false
}

variable "allowed_cidrs" {
  description = "Who may connect to the load balancer."
  type        = list(string)
  nullable    = false
}

variable "application_port" {
  description = "Where the application listens on an instance."
  type        = number
  nullable    = false
}
