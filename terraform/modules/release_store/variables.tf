variable "names" {
  description = "Paths of the parameters."
  type = object({
    tier               = string
    settings_parameter = string
    release_parameter  = string
  })
  nullable = false
}

variable "bucket" {
  description = "Of the fast lane's artifacts."
  type        = string
  nullable    = false
}

variable "prefix" {
  description = "Of the artifacts."
  type        = string
  nullable    = false
}

variable "expire_after" {
  description = "Seconds after which an artifact is removed: whole days."
  type        = number
  nullable    = false
}

variable "force_destroy" {
  description = "Whether the bucket goes with all that is in it."
  type        = bool
  nullable    = false
}

variable "settings_json" {
  description = "All settings as one line."
  type        = string
  nullable    = false
}

variable "encrypted_transport_only" {
  description = "Whether the bucket refuses who comes without TLS; false for an endpoint that has none."
  type        = bool
  nullable    = false
}
