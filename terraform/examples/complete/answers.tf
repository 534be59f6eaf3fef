# Whether the tier answers under the name that its certificate is for. The provider that asks is this file's only: without
# the file nothing else needs it.

module "answers" {
  source = "../../modules/answers"

  url      = module.tier.url
  path     = local.settings.application.health_check_path
  timeout  = local.settings.verification.answer_timeout
  attempts = local.settings.verification.consecutive_answers
}
