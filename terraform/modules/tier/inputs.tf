# What is no setting: it belongs to one run, not to the environment.

variable "initial_image_id" {
  description = "The image of the first apply, as a bake printed it. Later applies need none: releases own the image from then on."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(ami-[0-9a-f]{8,17})?$", var.initial_image_id))
    error_message = "initial_image_id: ${var.initial_image_id}: an image's id such as ami-0123456789abcdef0, or nothing, is right."
  }
}

variable "local_endpoint" {
  description = "For an AWS-compatible endpoint on this machine: its buckets are no host names, and it has no TLS to insist on."
  type        = bool
  default     = false
  nullable    = false
}
