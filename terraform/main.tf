# The tier, as the settings of one environment say. Everything in it is the module's: see README.md, "Who owns what".
module "tier" {
  source = "./modules/tier"

  name               = var.name
  environment        = var.environment
  application        = var.application
  unit               = var.unit
  aws                = var.aws
  instance           = var.instance
  auto_scaling_group = var.auto_scaling_group
  load_balancer      = var.load_balancer
  target_group       = var.target_group
  bake               = var.bake
  release            = var.release
  verification       = var.verification
  probe              = var.probe
  alarms             = var.alarms
  logs               = var.logs
  artifacts          = var.artifacts
  ci                 = var.ci
  simulator          = var.simulator
  names              = var.names

  initial_image_id = var.initial_image_id
  local_endpoint   = var.local_endpoint
}
