locals {
  has_certificate = var.load_balancer.certificate_arn != ""
  protocol        = "HTTP"
  target_type     = "instance"

  # What forces a new target group is in its name: the new one can be made beside the old one, and nothing else renames it.
  identity          = sha1(jsonencode([var.application.port, local.protocol, local.target_type, var.vpc_id]))
  target_group_name = "${var.name}-${substr(local.identity, 0, 6)}" # not a setting: as many as the name has room for
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91: access logs are written where load_balancer.access_log_bucket names a bucket
  #checkov:skip=CKV_AWS_150: deletion protection is the setting load_balancer.deletion_protection, on in production
  #checkov:skip=CKV2_AWS_28: a web application firewall costs more than the tier; attach one to the output arn
  #checkov:skip=CKV2_AWS_20: with a certificate the HTTP listener redirects; without one there is nothing to redirect to
  #trivy:ignore:AWS-0053 it is the public front
  name               = var.name
  load_balancer_type = "application"
  internal           = false
  security_groups    = [var.security_group_id]
  subnets            = var.subnet_ids

  idle_timeout               = var.load_balancer.idle_timeout
  client_keep_alive          = var.load_balancer.client_keep_alive
  desync_mitigation_mode     = var.load_balancer.desync_mitigation_mode
  drop_invalid_header_fields = true
  enable_deletion_protection = var.load_balancer.deletion_protection

  dynamic "access_logs" {
    for_each = var.load_balancer.access_log_bucket == "" ? [] : [var.load_balancer.access_log_bucket]
    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378: TLS ends at the load balancer; instances are reached within the VPC by its security group only
  name        = local.target_group_name
  port        = var.application.port
  protocol    = local.protocol
  target_type = local.target_type
  vpc_id      = var.vpc_id

  deregistration_delay = var.target_group.deregistration_delay
  slow_start           = var.target_group.slow_start

  health_check {
    path                = var.application.health_check_path
    protocol            = local.protocol
    port                = "traffic-port"
    interval            = var.target_group.health_check.interval
    timeout             = var.target_group.health_check.timeout
    healthy_threshold   = var.target_group.health_check.healthy_threshold
    unhealthy_threshold = var.target_group.health_check.unhealthy_threshold
    matcher             = var.target_group.health_check.matcher
  }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.target_group_name) <= 32 # not a setting: AWS's limit
      error_message = "The target group's name ${local.target_group_name} has more than 32 characters: shorten name or environment."
    }
  }
}

# With a certificate this one only sends people to HTTPS.
resource "aws_lb_listener" "http" {
  #checkov:skip=CKV_AWS_2: a redirect where there is a certificate; the demonstration has none
  #checkov:skip=CKV_AWS_103: likewise
  #trivy:ignore:AWS-0054 a redirect where there is a certificate; the demonstration has none
  load_balancer_arn = aws_lb.this.arn
  port              = var.load_balancer.http_port
  protocol          = "HTTP"

  default_action {
    type             = local.has_certificate ? "redirect" : "forward"
    target_group_arn = local.has_certificate ? null : aws_lb_target_group.this.arn

    dynamic "redirect" {
      for_each = local.has_certificate ? [var.load_balancer.https_port] : []
      content {
        protocol    = "HTTPS"
        port        = tostring(redirect.value)
        status_code = "HTTP_301"
      }
    }
  }
}

resource "aws_lb_listener" "https" {
  count = local.has_certificate ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = var.load_balancer.https_port
  protocol          = "HTTPS"
  certificate_arn   = var.load_balancer.certificate_arn
  ssl_policy        = var.load_balancer.ssl_policy

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
