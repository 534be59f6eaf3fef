# What is launched: metadata, disks, tags, roles; and that an image of another architecture is refused. Mocked provider.

mock_provider "aws" {
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-00000001", latest_version = 1 }
  }
  override_data {
    target = data.aws_ami.initial
    values = { id = "ami-00000001", architecture = "x86_64" }
  }
}

variables {
  instance          = merge(var.instance, { architecture = "x86_64" })
  name              = var.names.tier
  subnet_ids        = ["subnet-0000000a", "subnet-0000000b"]
  security_group_id = "sg-00000001"
  target_group_arn  = "arn:aws:elasticloadbalancing:zone:123456789012:targetgroup/tier/1"
  initial_image_id  = "ami-00000001"
  capacity_timeout  = var.release.deadline
  default_tags      = { App = "app", Environment = "test" }
  partition         = "aws"
  log_group_arn     = "arn:aws:logs:zone:123456789012:log-group:tier"
  artifacts_arn     = "arn:aws:s3:::bucket/artifacts/*"
}

run "an_instance_is_locked_down" {
  command = apply
  module { source = "./modules/fleet" }

  assert {
    condition = (
      aws_launch_template.this.metadata_options[0].http_tokens == "required" &&
      aws_launch_template.this.metadata_options[0].http_put_response_hop_limit == 1 &&
      aws_launch_template.this.block_device_mappings[0].ebs[0].encrypted == "true" &&
      aws_launch_template.this.block_device_mappings[0].ebs[0].volume_type == "gp3" &&
      coalesce(aws_launch_template.this.key_name, "none") == "none"
    )
    error_message = "IMDSv2 within one hop, an encrypted gp3 disk, and no key."
  }

  assert {
    condition = alltrue([
      for kind in ["instance", "volume", "network-interface"] : anytrue([
        for one in aws_launch_template.this.tag_specifications :
        one.resource_type == kind && one.tags["App"] == "app" && one.tags["Environment"] == "test" && one.tags["Name"] == var.names.tier
      ])
    ])
    error_message = "Every kind of what is launched has every tag."
  }

  assert {
    condition     = alltrue([for tag in aws_autoscaling_group.this.tag : tag.propagate_at_launch])
    error_message = "The group's tags are passed on."
  }

  assert {
    condition     = aws_autoscaling_group.this.health_check_type == "ELB" && length(aws_autoscaling_group.this.instance_refresh) == 0
    error_message = "Health is the load balancer's; refreshes are the tool's."
  }
}

run "an_instance_may_do_what_it_needs_and_no_more" {
  command = apply
  module { source = "./modules/fleet" }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.instance.policy).Statement : alltrue([
        for action in flatten([statement.Action]) :
        can(regex("^(ssm:UpdateInstanceInformation|ssmmessages:|ec2messages:|logs:(CreateLogStream|DescribeLogStreams|PutLogEvents)|cloudwatch:PutMetricData|s3:GetObject(Version)?$)", action))
      ])
    ])
    error_message = "An action that neither Session Manager nor the logs nor the fast lane needs: no parameter may be read, for one."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.instance.policy).Statement :
      statement.Resource != "*" || statement.Sid == "SessionManager" || can(statement.Condition.StringEquals["cloudwatch:namespace"])
    ])
    error_message = "Logs and artifacts are its own only."
  }
}

run "a_replacement_starts_before_the_old_one_ends" {
  command = apply
  module { source = "./modules/fleet" }

  assert {
    condition = (
      one(aws_autoscaling_group.this.instance_maintenance_policy).min_healthy_percentage == var.auto_scaling_group.min_healthy_percentage &&
      one(aws_autoscaling_group.this.instance_maintenance_policy).max_healthy_percentage == var.auto_scaling_group.max_healthy_percentage &&
      jsonencode(aws_autoscaling_group.this.termination_policies) == jsonencode(var.auto_scaling_group.termination_policies)
    )
    error_message = "How instances are replaced is the setting."
  }

  # AWS refuses to roll back a refresh of a group that is on $Latest or $Default.
  assert {
    condition     = can(tonumber(aws_autoscaling_group.this.launch_template[0].version))
    error_message = "The version is no number: ${aws_autoscaling_group.this.launch_template[0].version}"
  }

  assert {
    condition     = toset([for tag in aws_autoscaling_group.this.tag : tag.key]) == toset(["App", "Environment", "Name"])
    error_message = "The group passes on every tag."
  }
}

run "an_image_of_another_architecture" {
  command         = plan
  expect_failures = [data.aws_ami.initial]
  module { source = "./modules/fleet" }
  variables {
    instance = merge(var.instance, { architecture = "arm64" })
  }
}

run "a_first_apply_without_an_image" {
  command         = plan
  state_key       = "another"
  expect_failures = [aws_launch_template.this]
  module { source = "./modules/fleet" }
  variables {
    initial_image_id = ""
  }
}

# Releases own the image: it is given once, and an apply without it keeps what is there.
run "a_later_apply_without_an_image" {
  command = apply
  module { source = "./modules/fleet" }
  variables {
    initial_image_id = ""
  }

  assert {
    condition     = aws_launch_template.this.image_id == "ami-00000001"
    error_message = "The image was taken away."
  }
}

run "in_china_ec2_takes_the_role_under_its_own_name" {
  command = apply
  module { source = "./modules/fleet" }
  variables {
    partition = "aws-cn"
  }

  assert {
    condition     = jsondecode(aws_iam_role.instance.assume_role_policy).Statement[0].Principal.Service == "ec2.amazonaws.com.cn"
    error_message = "An instance could not take its role."
  }
}

run "in_govcloud_ec2_has_its_usual_name" {
  command = apply
  module { source = "./modules/fleet" }
  variables {
    partition = "aws-us-gov"
  }

  assert {
    condition     = jsondecode(aws_iam_role.instance.assume_role_policy).Statement[0].Principal.Service == "ec2.amazonaws.com"
    error_message = "An instance could not take its role."
  }
}
