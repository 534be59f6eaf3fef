variable "bucket" {
  description = "Of Terraform's state."
  type        = string
  nullable    = false
}
