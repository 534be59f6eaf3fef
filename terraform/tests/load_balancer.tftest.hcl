# Listeners with and without a certificate, and the target group's name, with a mocked provider.

mock_provider "aws" {}

variables {
  name              = "a-tier-whose-name-has-this"
  vpc_id            = "vpc-00000001"
  subnet_ids        = ["subnet-0000000a", "subnet-0000000b"]
  security_group_id = "sg-00000001"
}

run "without_a_certificate_http_serves" {
  command = plan
  module { source = "./modules/load_balancer" }
  variables {
    name = var.names.tier
  }

  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "forward" && length(aws_lb_listener.https) == 0
    error_message = "HTTP forwards, and there is no HTTPS."
  }

  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection == var.load_balancer.deletion_protection
    error_message = "Invalid header fields are dropped; the protection is the setting."
  }

  assert {
    condition     = aws_lb_target_group.this.deregistration_delay == tostring(var.target_group.deregistration_delay)
    error_message = "The drain is the setting."
  }

  assert {
    condition     = startswith(aws_lb_target_group.this.name, "${var.names.tier}-")
    error_message = "The target group has the tier's name."
  }
}

run "with_a_certificate_http_redirects" {
  command = plan
  module { source = "./modules/load_balancer" }
  variables {
    name          = var.names.tier
    load_balancer = merge(var.load_balancer, { certificate_arn = "arn:aws:acm:${var.aws.region}:123456789012:certificate/0" })
  }

  assert {
    condition = (
      aws_lb_listener.http.default_action[0].type == "redirect" &&
      aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" &&
      aws_lb_listener.http.default_action[0].redirect[0].port == tostring(var.load_balancer.https_port)
    )
    error_message = "HTTP only sends people to HTTPS."
  }

  assert {
    condition     = aws_lb_listener.https[0].ssl_policy == var.load_balancer.ssl_policy && aws_lb_listener.https[0].default_action[0].type == "forward"
    error_message = "HTTPS forwards, with the policy that is set."
  }
}

run "the_url_leaves_out_what_needs_no_saying" {
  command = apply
  module { source = "./modules/load_balancer" }
  variables {
    name          = var.names.tier
    load_balancer = merge(var.load_balancer, { http_port = 80, https_port = 443, certificate_arn = "" })
  }

  override_resource {
    target = aws_lb.this
    values = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/tier/1", dns_name = "tier.example" }
  }
  override_resource {
    target = aws_lb_target_group.this
    values = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/tier/1" }
  }

  assert {
    condition     = output.url == "http://tier.example/"
    error_message = output.url
  }
}

run "the_url_of_another_port_and_a_certificate" {
  command = apply
  module { source = "./modules/load_balancer" }
  variables {
    name = var.names.tier
    load_balancer = merge(var.load_balancer, {
      https_port = 8443, host_name = "www.example.org", certificate_arn = "arn:aws:acm:${var.aws.region}:123456789012:certificate/0"
    })
  }

  override_resource {
    target = aws_lb.this
    values = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/tier/1", dns_name = "tier.example" }
  }
  override_resource {
    target = aws_lb_target_group.this
    values = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/tier/1" }
  }

  assert {
    condition     = output.url == "https://www.example.org:8443/"
    error_message = output.url
  }
}

run "what_forces_a_new_target_group_renames_it" {
  command = plan
  module { source = "./modules/load_balancer" }
  variables {
    name        = var.names.tier
    application = merge(var.application, { port = var.application.port + 1 })
  }

  assert {
    condition     = aws_lb_target_group.this.name != run.without_a_certificate_http_serves.target_group_name
    error_message = "The new target group would have the old one's name."
  }
}

run "what_does_not_force_one_keeps_its_name" {
  command = plan
  module { source = "./modules/load_balancer" }
  variables {
    name        = var.names.tier
    application = merge(var.application, { health_check_path = "/another" })
  }

  assert {
    condition     = aws_lb_target_group.this.name == run.without_a_certificate_http_serves.target_group_name
    error_message = "The name changed for nothing."
  }
}

run "access_logs_go_where_a_bucket_is_named" {
  command = plan
  module { source = "./modules/load_balancer" }
  variables {
    name          = var.names.tier
    load_balancer = merge(var.load_balancer, { access_log_bucket = "logs-of-the-front" })
  }

  assert {
    condition     = aws_lb.this.access_logs[0].bucket == "logs-of-the-front" && aws_lb.this.access_logs[0].enabled
    error_message = "The bucket is named, but not written to."
  }
}

run "a_name_that_leaves_no_room" {
  command         = plan
  expect_failures = [aws_lb_target_group.this]
  module { source = "./modules/load_balancer" }
}
