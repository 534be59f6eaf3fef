variable "state_bucket_exists" {
  description = "Whether the state bucket was made before (its own state lies in it): then it is taken over, not made."
  type        = bool
  default     = true
  nullable    = false
}

variable "s3_use_path_style" {
  description = "For an endpoint other than AWS whose buckets are no host names."
  type        = bool
  default     = false
  nullable    = false
}
