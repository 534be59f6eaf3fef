# The bucket of Terraform's state: every version kept, encrypted, private. Terraform never destroys it with what is in
# it; `rr-deploy destroy --all` empties and removes it.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144: one region is enough for the state of a tier in one region
  #checkov:skip=CKV_AWS_18: CloudTrail says who wrote it
  #checkov:skip=CKV2_AWS_61: the history of the state is wanted, and small
  #checkov:skip=CKV2_AWS_62: nobody waits for it
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  #checkov:skip=CKV_AWS_145: S3's own key
  #trivy:ignore:AWS-0132 likewise
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = var.encrypted_transport_only ? 1 : 0

  # The two would change the bucket's policy state at once, which S3 refuses.
  depends_on = [aws_s3_bucket_public_access_block.this]

  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EncryptedTransportOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
