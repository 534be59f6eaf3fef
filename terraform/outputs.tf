output "url" {
  description = "Where the tier answers."
  value       = module.tier.url
}

output "auto_scaling_group_name" {
  description = "The group that releases roll over."
  value       = module.tier.auto_scaling_group_name
}

output "launch_template_id" {
  description = "The template whose versions are the releases."
  value       = module.tier.launch_template_id
}

output "target_group_arn" {
  description = "Where an instance's health as the load balancer sees it is asked for."
  value       = module.tier.target_group_arn
}

output "release_alarm_names" {
  description = "Alarms that end a release and roll it back."
  value       = module.tier.release_alarm_names
}

output "instance_role_arn" {
  description = "What a release must be allowed to pass."
  value       = module.tier.instance_role_arn
}

output "artifact_bucket" {
  description = "Where the fast lane's artifacts go, below its prefix."
  value       = module.tier.artifact_bucket
}

output "log_group_name" {
  description = "Of the application's log lines."
  value       = module.tier.log_group_name
}

output "dashboard_name" {
  description = "In CloudWatch."
  value       = module.tier.dashboard_name
}

output "zones" {
  description = "Availability zones that instances are spread over."
  value       = module.tier.zones
}
