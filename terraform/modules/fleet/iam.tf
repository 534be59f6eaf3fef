# What an instance may do: be reached by Session Manager, write its logs and its agent's metrics, fetch its artifact.
# AmazonSSMManagedInstanceCore would do for the first, but lets an instance read every parameter of the account.

locals {
  instance_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "SessionManager"
        Effect = "Allow"
        Action = [
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
          "ec2messages:AcknowledgeMessage",
          "ec2messages:DeleteMessage",
          "ec2messages:FailMessage",
          "ec2messages:GetEndpoint",
          "ec2messages:GetMessages",
          "ec2messages:SendReply",
        ]
        Resource = "*"
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = "${var.log_group_arn}:*"
      },
      {
        Sid       = "AgentMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "CWAgent" } }
      },
      {
        Sid      = "Artifact"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion"]
        Resource = var.artifacts_arn
      },
    ]
  }
}

resource "aws_iam_role" "instance" {
  name        = var.name
  description = "Instances of ${var.name}."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.${local.dns_suffix}" }
    }]
  })
}

locals {
  # Only China's partition has services under another domain.
  dns_suffix = var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"
}

resource "aws_iam_role_policy" "instance" {
  #checkov:skip=CKV_AWS_290: Session Manager's channels and CloudWatch's metrics have no resources to name
  #checkov:skip=CKV_AWS_355: likewise
  #trivy:ignore:AWS-0057 likewise
  name   = "instance"
  role   = aws_iam_role.instance.id
  policy = jsonencode(local.instance_policy)
}

resource "aws_iam_instance_profile" "this" {
  name = var.name
  role = aws_iam_role.instance.name
}
