output "vpc_id" {
  description = "The VPC that was found."
  value       = data.aws_vpc.this.id
}

output "zones" {
  description = "Availability zones that the tier stands in."
  value       = local.zones
}

output "subnet_ids" {
  description = "One subnet of each zone, for the load balancer."
  value       = local.subnet_ids
}

output "instance_subnet_ids" {
  description = "For the instances: the same, or others in the same zones."
  value       = local.instance_subnet_ids
}

output "load_balancer_security_group_id" {
  description = "Reached from outside."
  value       = aws_security_group.load_balancer.id
}

output "instance_security_group_id" {
  description = "Reached by the load balancer only."
  value       = aws_security_group.instance.id
}
