# These warn and stop nothing: what they look at may be in motion.

check "a_zone_can_be_lost" {
  assert {
    condition     = module.settings.auto_scaling_group.desired_capacity >= length(module.network.zones)
    error_message = "There are ${length(module.network.zones)} zones and ${module.settings.auto_scaling_group.desired_capacity} instances: a zone without an instance."
  }
}

check "somebody_is_told" {
  assert {
    condition     = !module.settings.load_balancer.deletion_protection || length(module.settings.alarms.topic_arns) > 0
    error_message = "The environment is protected, but no alarm tells anybody: alarms.topic_arns is empty."
  }
}
