output "bucket" {
  description = "Of the artifacts."
  value       = aws_s3_bucket.artifacts.id
}

output "bucket_arn" {
  description = "Of the artifacts."
  value       = aws_s3_bucket.artifacts.arn
}
