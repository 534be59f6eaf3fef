output "url" {
  description = "Where the tier answers."
  value       = module.tier.url
}

output "release_alarm_names" {
  description = "Alarms that end a release and roll it back."
  value       = module.tier.release_alarm_names
}
