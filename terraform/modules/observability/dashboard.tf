locals {
  load_balancer_dimensions = ["LoadBalancer", var.load_balancer_arn_suffix]
  target_group_dimensions  = ["TargetGroup", var.target_group_arn_suffix]
  targets                  = concat(local.target_group_dimensions, local.load_balancer_dimensions)

  charts = {
    "Answers by status" = {
      statistic = "Sum"
      metrics = [
        for code in ["2XX", "3XX", "4XX", "5XX"] :
        concat(["AWS/ApplicationELB", "HTTPCode_Target_${code}_Count"], local.targets)
      ]
    }
    "The load balancer's own errors" = {
      statistic = "Sum"
      metrics = [
        for metric in ["HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_4XX_Count", "RejectedConnectionCount", "TargetConnectionErrorCount"] :
        concat(["AWS/ApplicationELB", metric], local.load_balancer_dimensions)
      ]
    }
    "Response time" = {
      statistic = "p99"
      metrics = [
        for statistic in ["p50", "p95", "p99"] :
        concat(["AWS/ApplicationELB", "TargetResponseTime"], local.targets, [{ stat = statistic, label = statistic }])
      ]
    }
    "Hosts" = {
      statistic = "Minimum"
      metrics = [
        for metric in ["HealthyHostCount", "UnHealthyHostCount"] :
        concat(["AWS/ApplicationELB", metric], local.targets)
      ]
    }
    "Instances of the group" = {
      statistic = "Average"
      metrics = [
        for metric in ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances"] :
        ["AWS/AutoScaling", metric, "AutoScalingGroupName", var.names.tier]
      ]
    }
    "Errors in the log" = {
      statistic = "Sum"
      metrics   = [[var.names.tier, local.logged_errors]]
    }
    "Processor" = {
      statistic = "Average"
      metrics   = [["AWS/EC2", "CPUUtilization", "AutoScalingGroupName", var.names.tier]]
    }
  }

  # Sizes on CloudWatch's grid of 24 columns: not a setting, the picture's layout.
  width  = 12 # not a setting: half of the grid
  height = 6  # not a setting: CloudWatch's own default
  column = [0, local.width]

  widgets = [
    for index, title in keys(local.charts) : {
      type   = "metric"
      x      = local.column[index % 2]
      y      = floor(index / 2) * local.height
      width  = local.width
      height = local.height
      properties = {
        title   = title
        region  = var.region
        view    = "timeSeries"
        stacked = false
        period  = var.alarms.period
        stat    = local.charts[title].statistic
        metrics = local.charts[title].metrics
      }
    }
  ]

  log_widget = {
    type   = "log"
    x      = 0
    y      = ceil(length(local.charts) / 2) * local.height
    width  = 2 * local.width
    height = local.height
    properties = {
      title  = "What the application says"
      region = var.region
      view   = "table"
      query  = "SOURCE '${var.names.log_group}' | fields @timestamp, @logStream, @message | sort @timestamp desc"
    }
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.names.dashboard
  dashboard_body = jsonencode({ widgets = concat(local.widgets, [local.log_widget]) })
}
