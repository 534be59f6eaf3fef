variable "url" {
  description = "Where the tier answers, such as the tier's output of that name; with a certificate the name that it is for."
  type        = string
  nullable    = false
}

variable "path" {
  description = "What is asked for: the health check's path."
  type        = string
  nullable    = false
}

variable "timeout" {
  description = "Seconds that an answer may take."
  type        = number
  nullable    = false
}

variable "attempts" {
  description = "How often it is asked again when it does not answer."
  type        = number
  nullable    = false
}
