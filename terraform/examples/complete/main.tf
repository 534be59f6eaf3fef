# The same with everything: a VPC of one's own with subnets that nobody reaches, a certificate and the redirect to it, access logs,
# a key and a topic, all in complete.yaml; the state in S3; and a question to the tier after each apply.

locals {
  settings = jsondecode(file(var.settings_file))
}

module "tier" {
  source = "../../modules/tier" # from elsewhere: git::https://HOST/PATH.git//terraform/modules/tier?ref=COMMIT

  name               = local.settings.name
  environment        = local.settings.environment
  application        = local.settings.application
  unit               = local.settings.unit
  aws                = local.settings.aws
  instance           = local.settings.instance
  auto_scaling_group = local.settings.auto_scaling_group
  load_balancer      = local.settings.load_balancer
  target_group       = local.settings.target_group
  bake               = local.settings.bake
  release            = local.settings.release
  verification       = local.settings.verification
  probe              = local.settings.probe
  alarms             = local.settings.alarms
  logs               = local.settings.logs
  artifacts          = local.settings.artifacts
  ci                 = local.settings.ci
  simulator          = local.settings.simulator
  names              = local.settings.names

  initial_image_id = var.initial_image_id
}
