# The names of what the roles may touch. Every resource of the tier has its name or its tags, and no role can touch another
# environment's.

locals {
  arn                 = "arn:${var.partition}"
  regional            = "${var.region}:${var.account_id}"
  tags                = { "aws:ResourceTag/App" = var.app, "aws:ResourceTag/Environment" = var.environment }
  wanted_tags         = { "aws:RequestTag/App" = var.app, "aws:RequestTag/Environment" = var.environment }
  group               = "${local.arn}:autoscaling:${local.regional}:autoScalingGroup:*:autoScalingGroupName/${var.names.tier}"
  template            = "${local.arn}:ec2:${local.regional}:launch-template/*"
  role                = "${local.arn}:iam::${var.account_id}:role/${var.names.tier}"
  profile             = "${local.arn}:iam::${var.account_id}:instance-profile/${var.names.tier}"
  bake_role           = "${local.arn}:iam::${var.account_id}:role/${var.names.bake_profile}"
  bake_profile        = "${local.arn}:iam::${var.account_id}:instance-profile/${var.names.bake_profile}"
  parameters          = "${local.arn}:ssm:${local.regional}:parameter${var.names.parameter_path}/*"
  candidate           = "${local.arn}:ssm:${local.regional}:parameter${var.names.candidate_parameter}"
  log_group           = "${local.arn}:logs:${local.regional}:log-group:${var.names.log_group}"
  alarms              = "${local.arn}:cloudwatch:${local.regional}:alarm:${var.names.tier}-*"
  dashboard           = "${local.arn}:cloudwatch::${var.account_id}:dashboard/${var.names.dashboard}"
  security_group      = "${local.arn}:ec2:${local.regional}:security-group/*"
  security_group_rule = "${local.arn}:ec2:${local.regional}:security-group-rule/*"
  artifacts           = "${local.arn}:s3:::${var.artifact_bucket}"
  state               = [var.state_bucket_arn, "${var.state_bucket_arn}/${var.ci.state_key}", "${var.state_bucket_arn}/${var.ci.state_key}.tflock"]
  ec2_service         = var.partition == "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com"

  balancing = [
    for kind in ["loadbalancer/app", "targetgroup", "listener/app"] :
    "${local.arn}:elasticloadbalancing:${local.regional}:${kind}/${var.names.tier}*"
  ]

  # Actions that have no resource to name, or that tools call before they know one.
  looking = [
    "autoscaling:Describe*",
    "cloudwatch:DescribeAlarms",
    "ec2:Describe*",
    "elasticloadbalancing:Describe*",
    "logs:DescribeLogGroups",
    "ssm:DescribeParameters",
    "sts:GetCallerIdentity",
  ]
}
