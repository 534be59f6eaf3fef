output "log_group_name" {
  description = "Of the application's lines."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "Where instances may write."
  value       = aws_cloudwatch_log_group.this.arn
}

output "release_alarm_names" {
  description = "Alarms that end a release."
  value       = [for alarm in aws_cloudwatch_metric_alarm.release : alarm.alarm_name]
}
