output "role_arns" {
  description = "The roles of CI, by what they are for."
  value       = { for purpose, role in aws_iam_role.ci : purpose => role.arn }
}

output "bake_profile" {
  description = "The instance profile of a bake."
  value       = aws_iam_instance_profile.bake.name
}

output "policies" {
  description = "What each role may do, as statements."
  value       = local.policies
}

output "subjects" {
  description = "Whose tokens each role takes."
  value       = local.subjects
}
