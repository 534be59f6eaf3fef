output "address" {
  description = "What was asked for."
  value       = local.address
}
