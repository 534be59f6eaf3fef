# What an instance may do while it is being baked: be reached by Session Manager, nothing else.

resource "aws_iam_role" "bake" {
  name        = var.names.bake_profile
  description = "Instances of ${var.names.tier} that are being baked."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = local.ec2_service }
    }]
  })
}

resource "aws_iam_role_policy" "bake" {
  #checkov:skip=CKV_AWS_290: Session Manager's channels have no resources to name
  #checkov:skip=CKV_AWS_355: likewise
  #trivy:ignore:AWS-0057 likewise
  name = "session"
  role = aws_iam_role.bake.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_iam_instance_profile" "bake" {
  name = var.names.bake_profile
  role = aws_iam_role.bake.name
}
