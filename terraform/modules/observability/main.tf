# Log group, alarms, what is counted in the log, dashboard. A release gives its refresh the alarms of the release set: any of them in ALARM ends it and
# takes it back. The watch set only tells somebody, because a starting or leaving target counts as unhealthy too.

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158: a key of one's own is the setting logs.kms_key_arn
  #checkov:skip=CKV_AWS_338: how long is the setting logs.retention_days; access logs of a demonstration need no year
  #trivy:ignore:AWS-0017 a key of one's own is the setting logs.kms_key_arn
  name              = var.names.log_group
  retention_in_days = var.logs.retention_days
  kms_key_id        = var.logs.kms_key_arn == "" ? null : var.logs.kms_key_arn
}

# What the application itself calls an error, 5xx answers among them; a program with other words has another pattern.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  count = var.logs.error_pattern == "" ? 0 : 1

  name           = local.logged_errors
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = var.logs.error_pattern

  metric_transformation {
    namespace     = var.names.tier
    name          = local.logged_errors
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "logged_errors" {
  count = length(aws_cloudwatch_log_metric_filter.errors)

  alarm_name          = "${var.names.watch_alarm_prefix}logged-errors"
  alarm_description   = "The application writes errors into its log."
  namespace           = var.names.tier
  metric_name         = local.logged_errors
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.alarms.logged_errors
  period              = var.alarms.period
  evaluation_periods  = var.alarms.evaluation_periods
  datapoints_to_alarm = var.alarms.datapoints
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
}

locals {
  logged_errors = "LoggedErrors"

  of_load_balancer = { LoadBalancer = var.load_balancer_arn_suffix }
  of_target_group  = merge(local.of_load_balancer, { TargetGroup = var.target_group_arn_suffix })

  release_alarms = {
    "target-5xx" = {
      description = "The application answers 5xx."
      metric      = "HTTPCode_Target_5XX_Count"
      statistic   = "Sum"
      threshold   = var.alarms.target_5xx_count
      dimensions  = local.of_target_group
    }
    "load-balancer-5xx" = {
      description = "The load balancer answers 5xx itself: no healthy target, or one that hangs or closes."
      metric      = "HTTPCode_ELB_5XX_Count"
      statistic   = "Sum"
      threshold   = var.alarms.load_balancer_5xx_count
      dimensions  = local.of_load_balancer
    }
    "response-time" = {
      description = "One answer in a hundred takes longer."
      metric      = "TargetResponseTime"
      statistic   = "p99"
      threshold   = var.alarms.response_time_p99
      dimensions  = local.of_target_group
    }
    "rejected-connections" = {
      description = "The load balancer has no room for connections."
      metric      = "RejectedConnectionCount"
      statistic   = "Sum"
      threshold   = var.alarms.rejected_connections
      dimensions  = local.of_load_balancer
    }
  }

  watch_alarms = {
    "unhealthy-hosts" = {
      description = "Targets fail their health check."
      metric      = "UnHealthyHostCount"
      comparison  = "GreaterThanOrEqualToThreshold"
      statistic   = "Maximum"
      threshold   = var.alarms.unhealthy_hosts
    }
    "too-few-healthy-hosts" = {
      description = "Fewer healthy targets than there should be instances."
      metric      = "HealthyHostCount"
      comparison  = "LessThanThreshold"
      statistic   = "Minimum"
      threshold   = var.desired_capacity
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "release" {
  for_each = local.release_alarms

  alarm_name          = "${var.names.alarm_prefix}${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = var.alarms.period
  evaluation_periods  = var.alarms.evaluation_periods
  datapoints_to_alarm = var.alarms.datapoints
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
}

resource "aws_cloudwatch_metric_alarm" "watch" {
  for_each = local.watch_alarms

  alarm_name          = "${var.names.watch_alarm_prefix}${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.value.metric
  dimensions          = local.of_target_group
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = var.alarms.period
  evaluation_periods  = var.alarms.unhealthy_evaluation_periods
  datapoints_to_alarm = var.alarms.unhealthy_datapoints
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.topic_arns
  ok_actions          = var.alarms.topic_arns
}
