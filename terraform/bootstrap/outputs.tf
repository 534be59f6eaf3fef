output "state_bucket" {
  description = "For -backend-config, of this root and of the tier's."
  value       = module.state.bucket
}

output "role_arns" {
  description = "What CI takes, by purpose."
  value       = module.ci_roles.role_arns
}

output "bake_profile" {
  description = "The instance profile of a bake."
  value       = module.ci_roles.bake_profile
}
