variable "bucket" {
  description = "Of Terraform's state."
  type        = string
  nullable    = false
}

variable "encrypted_transport_only" {
  description = "Whether the bucket refuses who comes without TLS; false for an endpoint that has none."
  type        = bool
  nullable    = false
}
