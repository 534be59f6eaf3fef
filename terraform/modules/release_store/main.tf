# What releases leave behind: the record, and the fast lane's artifacts. Of the parameters below the path, `lock` and
# `candidate/ami` are made by the tool alone: the lock must fail when it exists, and an image is baked before there is a tier.

resource "aws_ssm_parameter" "settings" {
  #checkov:skip=CKV_AWS_337: nothing in it is secret
  #checkov:skip=CKV2_AWS_34: nothing in it is secret
  name        = var.names.settings_parameter
  description = "The settings of this environment, for a rollback without a checkout."
  type        = "String"
  value       = var.settings_json

  lifecycle {
    precondition {
      condition     = length(var.settings_json) <= 4096 # not a setting: Parameter Store's standard tier
      error_message = "The settings have ${length(var.settings_json)} characters as JSON; a standard parameter takes 4096."
    }
  }
}

resource "aws_ssm_parameter" "release" {
  #checkov:skip=CKV_AWS_337: nothing in it is secret
  #checkov:skip=CKV2_AWS_34: nothing in it is secret
  name        = var.names.release_parameter
  description = "What is released, written by each release; its history is the audit log."
  type        = "String"
  value       = "{}"

  lifecycle {
    ignore_changes = [value]
  }
}

resource "aws_s3_bucket" "artifacts" {
  #checkov:skip=CKV_AWS_144: an artifact can be built again from its commit
  #checkov:skip=CKV_AWS_18: who wrote an artifact stands in the release record
  #checkov:skip=CKV2_AWS_62: nobody waits for an artifact
  bucket        = var.bucket
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  bucket                  = aws_s3_bucket.artifacts.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "artifacts" {
  #checkov:skip=CKV_AWS_145: S3's own key; an artifact is as public as the repository
  #trivy:ignore:AWS-0132 likewise
  bucket = aws_s3_bucket.artifacts.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  # Rules for what is no longer current need versioning.
  depends_on = [aws_s3_bucket_versioning.artifacts]

  bucket = aws_s3_bucket.artifacts.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = "${var.prefix}/"
    }

    expiration {
      days = local.days
    }

    noncurrent_version_expiration {
      noncurrent_days = local.days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

locals {
  days = var.expire_after / (24 * 60 * 60) # not a setting: the calendar
}

resource "aws_s3_bucket_policy" "artifacts" {
  count = var.encrypted_transport_only ? 1 : 0

  # The two would change the bucket's policy state at once, which S3 refuses.
  depends_on = [aws_s3_bucket_public_access_block.artifacts]

  bucket = aws_s3_bucket.artifacts.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EncryptedTransportOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.artifacts.arn, "${aws_s3_bucket.artifacts.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
