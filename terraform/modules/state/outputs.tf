output "bucket" {
  description = "Of the state."
  value       = aws_s3_bucket.this.id
}

output "bucket_arn" {
  description = "Of the state."
  value       = aws_s3_bucket.this.arn
}
