# Whether the tier answers under the name that its certificate is for. The provider that asks is this file's only: without
# the file nothing else needs it.

variable "url" {
  description = "The name that the certificate is for, such as https://www.example.org; it leads to the load balancer."
  type        = string
  nullable    = false
}

module "answers" {
  source = "../../modules/answers"

  url      = var.url
  path     = local.settings.application.health_check_path
  timeout  = local.settings.verification.answer_timeout
  attempts = local.settings.verification.consecutive_answers

  depends_on = [module.tier]
}
