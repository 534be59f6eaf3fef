locals {
  policies = {
    plan   = local.plan
    apply  = concat(local.plan, local.apply)
    bake   = local.bake
    deploy = local.deploy
  }

  read_state = [
    {
      Sid      = "ReadState"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:ListBucket"]
      Resource = local.state
    },
  ]
}

# ------------------------------------------------------------------------------------------------------------- plan
# Everything that a refresh reads, and the state; -lock=false, so it writes nothing at all.
locals {
  plan = concat(local.read_state, [
    {
      Sid      = "Look"
      Effect   = "Allow"
      Action   = local.looking
      Resource = "*"
    },
    {
      Sid    = "LookAtOwn"
      Effect = "Allow"
      Action = [
        "cloudwatch:GetDashboard",
        "cloudwatch:ListTagsForResource",
        "iam:GetInstanceProfile",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "logs:DescribeMetricFilters",
        "logs:ListTagsForResource",
        "s3:Get*Configuration",
        "s3:GetBucket*",
        "s3:ListBucket",
        "ssm:GetParameter",
        "ssm:ListTagsForResource",
      ]
      Resource = [local.alarms, local.dashboard, local.role, local.profile, local.log_group, "${local.log_group}:*", local.artifacts, local.parameters]
    },
  ])
}

# ------------------------------------------------------------------------------------------------------------ apply
# The shape: what is made must have the tags, what is changed must have them already.
locals {
  apply = [
    {
      Sid      = "WriteState"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:DeleteObject"]
      Resource = slice(local.state, 1, length(local.state))
    },
    {
      Sid       = "MakeTagged"
      Effect    = "Allow"
      Action    = ["ec2:CreateLaunchTemplate", "ec2:CreateSecurityGroup"]
      Resource  = [local.template, local.security_group]
      Condition = { StringEquals = local.wanted_tags }
    },
    {
      Sid      = "MakeInVpc"
      Effect   = "Allow"
      Action   = "ec2:CreateSecurityGroup"
      Resource = "${local.arn}:ec2:${local.regional}:vpc/*"
    },
    # A rule is made without tags and tagged afterwards. Making one also needs its group, which must be the tier's own.
    {
      Sid       = "MakeRules"
      Effect    = "Allow"
      Action    = ["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]
      Resource  = local.security_group_rule
      Condition = { StringEqualsIfExists = local.wanted_tags }
    },
    {
      Sid       = "TagRules"
      Effect    = "Allow"
      Action    = "ec2:CreateTags"
      Resource  = local.security_group_rule
      Condition = { StringEquals = local.wanted_tags }
    },
    {
      Sid       = "TagWhatIsMade"
      Effect    = "Allow"
      Action    = "ec2:CreateTags"
      Resource  = "${local.arn}:ec2:${local.regional}:*/*"
      Condition = { StringEquals = { "ec2:CreateAction" = ["CreateLaunchTemplate", "CreateSecurityGroup", "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "RunInstances"] } }
    },
    {
      Sid    = "ChangeOwnTagged"
      Effect = "Allow"
      Action = [
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateLaunchTemplateVersion",
        "ec2:CreateTags",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteLaunchTemplateVersions",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteTags",
        "ec2:ModifyLaunchTemplate",
        "ec2:ModifySecurityGroupRules",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
      ]
      Resource  = "${local.arn}:ec2:${local.regional}:*/*"
      Condition = { StringEquals = local.tags }
    },
    {
      Sid    = "LoadBalancer"
      Effect = "Allow"
      Action = [
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:CreateTargetGroup",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:Modify*",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets",
      ]
      Resource = local.balancing
    },
    {
      Sid    = "Group"
      Effect = "Allow"
      Action = [
        "autoscaling:CreateAutoScalingGroup",
        "autoscaling:CreateOrUpdateTags",
        "autoscaling:DeleteAutoScalingGroup",
        "autoscaling:DeleteTags",
        "autoscaling:DisableMetricsCollection",
        "autoscaling:EnableMetricsCollection",
        "autoscaling:AttachLoadBalancerTargetGroups",
        "autoscaling:DetachLoadBalancerTargetGroups",
        "autoscaling:SetInstanceProtection",
        "autoscaling:UpdateAutoScalingGroup",
      ]
      Resource = local.group
    },
    {
      Sid    = "OwnRole"
      Effect = "Allow"
      Action = [
        "iam:AddRoleToInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:CreateRole",
        "iam:DeleteInstanceProfile",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:TagInstanceProfile",
        "iam:TagRole",
        "iam:UntagInstanceProfile",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
      ]
      Resource = [local.role, local.profile]
    },
    {
      Sid      = "ServiceRoles"
      Effect   = "Allow"
      Action   = "iam:CreateServiceLinkedRole"
      Resource = "${local.arn}:iam::${var.account_id}:role/aws-service-role/*"
      Condition = {
        StringEquals = { "iam:AWSServiceName" = ["autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"] }
      }
    },
    {
      Sid    = "Observe"
      Effect = "Allow"
      Action = [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DeleteDashboards",
        "cloudwatch:PutDashboard",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteMetricFilter",
        "logs:DeleteRetentionPolicy",
        "logs:DisassociateKmsKey",
        "logs:PutMetricFilter",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
      ]
      Resource = [local.alarms, local.dashboard, local.log_group, "${local.log_group}:*"]
    },
    {
      Sid    = "Store"
      Effect = "Allow"
      Action = [
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:ListBucketVersions",
        "s3:PutBucket*",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
        "ssm:AddTagsToResource",
        "ssm:DeleteParameter",
        "ssm:PutParameter",
        "ssm:RemoveTagsFromResource",
      ]
      Resource = [local.artifacts, "${local.artifacts}/*", local.parameters]
    },
    local.launch[0], local.launch[1], local.launch[2],
  ]
}

# ---------------------------------------------------------------------------------------------------------- release
# Auto Scaling asks whether the caller may launch what the template says: without these three the first refresh fails.
locals {
  launch = [
    {
      Sid       = "LaunchFromTemplate"
      Effect    = "Allow"
      Action    = "ec2:RunInstances"
      Resource  = "*"
      Condition = { Bool = { "ec2:IsLaunchTemplateResource" = "true" }, ArnLike = { "ec2:LaunchTemplate" = local.template } }
    },
    {
      Sid       = "TagWhatIsLaunched"
      Effect    = "Allow"
      Action    = "ec2:CreateTags"
      Resource  = "${local.arn}:ec2:${local.regional}:*/*"
      Condition = { StringEquals = { "ec2:CreateAction" = "RunInstances" } }
    },
    {
      Sid       = "PassInstanceRole"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = local.role
      Condition = { StringEquals = { "iam:PassedToService" = local.ec2_service } }
    },
  ]

  deploy = concat(local.launch, [
    {
      Sid      = "Look"
      Effect   = "Allow"
      Action   = concat(local.looking, ["logs:FilterLogEvents", "logs:GetLogEvents"])
      Resource = "*"
    },
    {
      Sid    = "Group"
      Effect = "Allow"
      Action = [
        "autoscaling:CancelInstanceRefresh",
        "autoscaling:ResumeProcesses",
        "autoscaling:RollbackInstanceRefresh",
        "autoscaling:SetDesiredCapacity",
        "autoscaling:StartInstanceRefresh",
        "autoscaling:SuspendProcesses",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
        "autoscaling:UpdateAutoScalingGroup",
      ]
      Resource = local.group
    },
    {
      Sid       = "Versions"
      Effect    = "Allow"
      Action    = ["ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplateVersions", "ec2:ModifyLaunchTemplate", "ec2:CreateTags"]
      Resource  = local.template
      Condition = { StringEquals = local.tags }
    },
    {
      Sid       = "PruneImages"
      Effect    = "Allow"
      Action    = ["ec2:DeleteSnapshot", "ec2:DeregisterImage"]
      Resource  = ["${local.arn}:ec2:${var.region}::image/*", "${local.arn}:ec2:${var.region}::snapshot/*"]
      Condition = { StringEquals = local.tags }
    },
    {
      Sid      = "Record"
      Effect   = "Allow"
      Action   = ["ssm:DeleteParameter", "ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:LabelParameterVersion", "ssm:PutParameter"]
      Resource = local.parameters
    },
    {
      Sid      = "Artifacts"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource = "${local.artifacts}/${var.artifact_prefix}/*"
    },
    {
      Sid      = "FindArtifacts"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket"]
      Resource = local.artifacts
    },
  ])
}

# ------------------------------------------------------------------------------------------------------------- bake
# Packer makes an instance, a key and a group of its own, tagged from the first; it touches nothing without the tag.
locals {
  bake_things = [
    for kind in ["instance", "volume", "network-interface", "security-group", "key-pair", "spot-instances-request"] :
    "${local.arn}:ec2:${local.regional}:${kind}/*"
  ]
  bake_images   = ["${local.arn}:ec2:${var.region}::image/*", "${local.arn}:ec2:${var.region}::snapshot/*"]
  app_wanted    = { "aws:RequestTag/App" = var.app }
  app_there     = { "aws:ResourceTag/App" = var.app }
  bake_creators = ["CopyImage", "CreateImage", "CreateKeyPair", "CreateSecurityGroup", "CreateSnapshot", "ImportKeyPair", "RegisterImage", "RunInstances"]

  bake = [
    {
      Sid      = "Look"
      Effect   = "Allow"
      Action   = local.looking
      Resource = "*"
    },
    {
      Sid       = "MakeTagged"
      Effect    = "Allow"
      Action    = ["ec2:CreateKeyPair", "ec2:CreateSecurityGroup", "ec2:ImportKeyPair", "ec2:RunInstances"]
      Resource  = local.bake_things
      Condition = { StringEquals = local.app_wanted }
    },
    {
      Sid    = "RunFrom"
      Effect = "Allow"
      Action = ["ec2:CreateSecurityGroup", "ec2:RunInstances"]
      Resource = concat(local.bake_images, [
        for kind in ["subnet", "vpc"] : "${local.arn}:ec2:${local.regional}:${kind}/*"
      ])
    },
    {
      Sid       = "RunWithOwn"
      Effect    = "Allow"
      Action    = "ec2:RunInstances"
      Resource  = [for kind in ["security-group", "key-pair"] : "${local.arn}:ec2:${local.regional}:${kind}/*"]
      Condition = { StringEquals = local.app_there }
    },
    {
      Sid       = "TagWhatIsMade"
      Effect    = "Allow"
      Action    = "ec2:CreateTags"
      Resource  = concat(local.bake_things, local.bake_images)
      Condition = { StringEquals = { "ec2:CreateAction" = local.bake_creators } }
    },
    {
      Sid    = "ChangeOwnTagged"
      Effect = "Allow"
      Action = [
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateImage",
        "ec2:CreateSnapshot",
        "ec2:CreateTags",
        "ec2:DeleteKeyPair",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteSnapshot",
        "ec2:DeregisterImage",
        "ec2:EnableImageDeprecation",
        "ec2:ModifyImageAttribute",
        "ec2:ModifyInstanceAttribute",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
      ]
      Resource  = concat(local.bake_things, local.bake_images)
      Condition = { StringEquals = local.app_there }
    },
    {
      Sid       = "ImageOfOwn"
      Effect    = "Allow"
      Action    = "ec2:CreateImage"
      Resource  = local.bake_images
      Condition = { StringEqualsIfExists = local.app_wanted }
    },
    {
      Sid       = "PassBakeRole"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = local.bake_role
      Condition = { StringEquals = { "iam:PassedToService" = local.ec2_service } }
    },
    {
      Sid      = "FindBakeProfile"
      Effect   = "Allow"
      Action   = "iam:GetInstanceProfile"
      Resource = local.bake_profile
    },
    {
      Sid       = "Session"
      Effect    = "Allow"
      Action    = "ssm:StartSession"
      Resource  = "${local.arn}:ec2:${local.regional}:instance/*"
      Condition = { StringEquals = { "ssm:resourceTag/App" = var.app } }
    },
    {
      Sid      = "SessionDocument"
      Effect   = "Allow"
      Action   = "ssm:StartSession"
      Resource = "${local.arn}:ssm:${var.region}::document/AWS-StartPortForwardingSession"
    },
    {
      Sid      = "EndOwnSession"
      Effect   = "Allow"
      Action   = "ssm:TerminateSession"
      Resource = "${local.arn}:ssm:${local.regional}:session/$${aws:userid}-*"
    },
    {
      Sid      = "BaseImage"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:GetParameters"]
      Resource = "${local.arn}:ssm:${var.region}::parameter/aws/service/ami-amazon-linux-latest/*"
    },
    {
      Sid      = "Candidate"
      Effect   = "Allow"
      Action   = ["ssm:GetParameter", "ssm:PutParameter"]
      Resource = local.candidate
    },
  ]
}
