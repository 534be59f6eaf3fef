# Launch template and group. A release makes a new numbered version and starts an instance refresh to it; Terraform owns
# all but the image and the version. So a change of the shape makes a version with the image that was released last (the
# provider sends the image as it read it), and a release or `rr-deploy release` of the same image rolls it out.

locals {
  instance_tags = merge(var.default_tags, { Name = var.name })
  tagged        = toset(["instance", "volume", "network-interface"])
}

data "aws_ami" "initial" {
  count = var.initial_image_id == "" ? 0 : 1

  owners = ["self", "amazon"]

  filter {
    name   = "image-id"
    values = [var.initial_image_id]
  }

  lifecycle {
    postcondition {
      condition     = self.architecture == var.instance.architecture
      error_message = "${self.id} is for ${self.architecture}; instance.architecture is ${var.instance.architecture}."
    }
  }
}

resource "aws_launch_template" "this" {
  name                                 = var.name
  description                          = "initial"
  image_id                             = one(data.aws_ami.initial[*].id)
  instance_type                        = var.instance.type
  instance_initiated_shutdown_behavior = "terminate"
  update_default_version               = false
  ebs_optimized                        = true

  iam_instance_profile {
    name = aws_iam_instance_profile.this.name
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.instance.root_volume_size
      encrypted             = true
      delete_on_termination = true
    }
  }

  network_interfaces {
    #checkov:skip=CKV_AWS_88: the default VPC has public subnets only; instance.public_ip turns it off where there is NAT
    #trivy:ignore:AWS-0009 likewise
    device_index                = 0
    associate_public_ip_address = var.instance.public_ip
    security_groups             = [var.security_group_id]
    delete_on_termination       = true
  }

  dynamic "tag_specifications" {
    for_each = local.tagged
    content {
      resource_type = tag_specifications.value
      tags          = local.instance_tags
    }
  }

  lifecycle {
    # The newest version is a release's.
    ignore_changes = [image_id, description, user_data, default_version]

    postcondition {
      condition     = coalesce(self.image_id, "none") != "none"
      error_message = "The first apply needs an image: bake one, and give it as initial_image_id."
    }
  }
}

resource "aws_autoscaling_group" "this" {
  name                = var.name
  min_size            = var.auto_scaling_group.min_size
  max_size            = var.auto_scaling_group.max_size
  desired_capacity    = var.auto_scaling_group.desired_capacity
  vpc_zone_identifier = var.subnet_ids
  target_group_arns   = [var.target_group_arn]

  health_check_type         = "ELB"
  health_check_grace_period = var.auto_scaling_group.health_check_grace_period
  default_instance_warmup   = var.auto_scaling_group.default_instance_warmup
  termination_policies      = var.auto_scaling_group.termination_policies
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances"]

  # The first apply ends when the load balancer has called the instances healthy, or with what they failed at.
  min_elb_capacity          = var.auto_scaling_group.desired_capacity
  wait_for_capacity_timeout = "${var.capacity_timeout}s"

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  instance_maintenance_policy {
    min_healthy_percentage = var.auto_scaling_group.min_healthy_percentage
    max_healthy_percentage = var.auto_scaling_group.max_healthy_percentage
  }

  # default_tags reach the group but not what it launches.
  dynamic "tag" {
    for_each = local.instance_tags
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    # Scaling owns the number, releases own the version. Without instance_refresh Terraform never starts or cancels one.
    ignore_changes = [desired_capacity, launch_template]
  }

  # Instances write to the logs and call Session Manager from their first second.
  depends_on = [aws_iam_role_policy.instance]
}
