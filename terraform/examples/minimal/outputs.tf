output "url" {
  description = "Where the tier answers."
  value       = module.tier.url
}
