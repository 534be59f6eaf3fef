# Alarms of the two sets, what is counted in the log, the log group. Mocked provider.

mock_provider "aws" {}

variables {
  region                   = var.aws.region
  desired_capacity         = 3
  load_balancer_arn_suffix = "app/tier/1"
  target_group_arn_suffix  = "targetgroup/tier/2"
  alarms                   = merge(var.alarms, { topic_arns = ["arn:aws:sns:${var.aws.region}:123456789012:on-call"] })
}

run "alarms_that_end_a_release" {
  command = apply
  module { source = "./modules/observability" }

  assert {
    condition = toset(output.release_alarm_names) == toset([
      for name in ["target-5xx", "load-balancer-5xx", "response-time", "rejected-connections"] : "${var.names.alarm_prefix}${name}"
    ])
    error_message = "The set that rr-deploy gives its refreshes."
  }

  # An instance refresh takes ten at most.
  assert {
    condition     = length(output.release_alarm_names) <= 10
    error_message = "More alarms than a refresh takes."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.release["target-5xx"].threshold == var.alarms.target_5xx_count &&
      aws_cloudwatch_metric_alarm.release["load-balancer-5xx"].threshold == var.alarms.load_balancer_5xx_count &&
      aws_cloudwatch_metric_alarm.release["response-time"].threshold == var.alarms.response_time_p99 &&
      aws_cloudwatch_metric_alarm.release["rejected-connections"].threshold == var.alarms.rejected_connections
    )
    error_message = "The thresholds are the settings."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.release["response-time"].extended_statistic == "p99" &&
      aws_cloudwatch_metric_alarm.release["response-time"].dimensions == tomap({ LoadBalancer = "app/tier/1", TargetGroup = "targetgroup/tier/2" }) &&
      aws_cloudwatch_metric_alarm.release["load-balancer-5xx"].dimensions == tomap({ LoadBalancer = "app/tier/1" })
    )
    error_message = "What the load balancer answers itself has no target group."
  }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.release), values(aws_cloudwatch_metric_alarm.watch), aws_cloudwatch_metric_alarm.logged_errors) :
      alarm.treat_missing_data == "notBreaching" && alarm.alarm_actions == toset(var.alarms.topic_arns) && alarm.alarm_description != ""
    ])
    error_message = "No traffic is no alarm, and somebody is told of each."
  }
}

run "alarms_that_only_tell_somebody" {
  command = apply
  module { source = "./modules/observability" }

  assert {
    condition = alltrue([
      for alarm in concat(values(aws_cloudwatch_metric_alarm.watch), aws_cloudwatch_metric_alarm.logged_errors) :
      startswith(alarm.alarm_name, var.names.watch_alarm_prefix) && !startswith(alarm.alarm_name, var.names.alarm_prefix)
    ])
    error_message = "A starting target, or a line in a log, would end a release."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.watch["too-few-healthy-hosts"].threshold == 3
    error_message = "Fewer than there should be."
  }
}

run "errors_are_counted_in_the_log" {
  command = apply
  module { source = "./modules/observability" }

  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.errors[0].pattern == var.logs.error_pattern &&
      aws_cloudwatch_log_metric_filter.errors[0].log_group_name == var.names.log_group
    )
    error_message = "The pattern is the setting, the group the tier's."
  }

  # An alarm on a metric that nothing writes is always quiet.
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.logged_errors[0].namespace == aws_cloudwatch_log_metric_filter.errors[0].metric_transformation[0].namespace &&
      aws_cloudwatch_metric_alarm.logged_errors[0].metric_name == aws_cloudwatch_log_metric_filter.errors[0].metric_transformation[0].name &&
      aws_cloudwatch_metric_alarm.logged_errors[0].threshold == var.alarms.logged_errors
    )
    error_message = "The alarm looks at another metric than the filter writes."
  }
}

run "without_a_pattern_nothing_is_counted" {
  command = apply
  module { source = "./modules/observability" }
  variables {
    logs = merge(var.logs, { error_pattern = "" })
  }

  assert {
    condition     = length(aws_cloudwatch_log_metric_filter.errors) == 0 && length(aws_cloudwatch_metric_alarm.logged_errors) == 0
    error_message = "A filter without a pattern matches everything."
  }
}

run "the_log_group_has_an_end_and_a_key" {
  command = apply
  module { source = "./modules/observability" }
  variables {
    logs = merge(var.logs, { kms_key_arn = "arn:aws:kms:${var.aws.region}:123456789012:key/1" })
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.this.retention_in_days == var.logs.retention_days &&
      aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:${var.aws.region}:123456789012:key/1"
    )
    error_message = "Retention and key are the settings."
  }
}
