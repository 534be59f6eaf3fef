output "url" {
  description = "Where the tier answers; a name of one's own has to lead to dns_name."
  value = join("", [
    local.has_certificate ? "https" : "http", "://", coalesce(var.load_balancer.host_name, aws_lb.this.dns_name),
    contains([local.default_port], local.port) ? "" : ":${local.port}", "/",
  ])
}

output "load_balancer_arn" {
  description = "Of the load balancer."
  value       = aws_lb.this.arn
}

output "load_balancer_arn_suffix" {
  description = "The load balancer as metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Of the target group, once a listener forwards to it: until then its targets are unused, and unused is not healthy."
  value       = aws_lb_target_group.this.arn
  depends_on  = [aws_lb_listener.http, aws_lb_listener.https]
}

output "target_group_arn_suffix" {
  description = "The target group as metrics name it."
  value       = aws_lb_target_group.this.arn_suffix
}

output "target_group_name" {
  description = "Ends in what would force another one."
  value       = local.target_group_name
}

locals {
  port         = local.has_certificate ? var.load_balancer.https_port : var.load_balancer.http_port
  default_port = local.has_certificate ? 443 : 80 # not a setting: what a URL need not say
}
