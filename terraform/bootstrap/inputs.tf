variable "state_bucket_exists" {
  description = "Whether the state bucket was made before (its own state lies in it): then it is taken over, not made."
  type        = bool
  default     = true
  nullable    = false
}

variable "local_endpoint" {
  description = "For an AWS-compatible endpoint on this machine: its buckets are no host names, and it has no TLS to insist on."
  type        = bool
  default     = false
  nullable    = false
}
