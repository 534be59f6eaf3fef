variable "settings_file" {
  description = "What `rr-deploy settings render --for terraform ENVIRONMENT` printed."
  type        = string
  default     = "settings.json"
  nullable    = false
}

variable "initial_image_id" {
  description = "The image of the first apply, as a bake printed it; later applies need none."
  type        = string
  default     = ""
  nullable    = false
}
