output "auto_scaling_group_name" {
  description = "Of the group."
  value       = aws_autoscaling_group.this.name
}

output "launch_template_id" {
  description = "Of the launch template."
  value       = aws_launch_template.this.id
}

output "instance_role_arn" {
  description = "Of the instances' role."
  value       = aws_iam_role.instance.arn
}
