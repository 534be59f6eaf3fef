# The buckets of artifacts and state, and the parameters. Mocked provider.

mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::a-bucket" }
  }
}

variables {
  bucket                   = "a-bucket"
  prefix                   = var.artifacts.prefix
  expire_after             = 2 * 86400
  force_destroy            = false
  settings_json            = "{}"
  encrypted_transport_only = true
}

run "artifacts_are_private_versioned_and_encrypted" {
  command = apply
  module { source = "./modules/release_store" }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.artifacts.block_public_acls &&
      aws_s3_bucket_public_access_block.artifacts.block_public_policy &&
      aws_s3_bucket_public_access_block.artifacts.ignore_public_acls &&
      aws_s3_bucket_public_access_block.artifacts.restrict_public_buckets
    )
    error_message = "Nothing of it can become public."
  }

  assert {
    condition = (
      aws_s3_bucket_versioning.artifacts.versioning_configuration[0].status == "Enabled" &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.artifacts.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    )
    error_message = "Every version is kept, and encrypted."
  }

  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.artifacts.rule[0].expiration).days == 2
    error_message = "Whole days of the setting."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Whoever comes without TLS is refused."
  }
}

run "the_release_record_is_the_tools" {
  command = apply
  module { source = "./modules/release_store" }

  assert {
    condition = (
      aws_ssm_parameter.release.name == var.names.release_parameter &&
      aws_ssm_parameter.settings.name == var.names.settings_parameter && nonsensitive(aws_ssm_parameter.settings.value) == "{}"
    )
    error_message = "Both parameters have the names of the settings."
  }
}

run "an_endpoint_without_tls" {
  command = apply
  module { source = "./modules/release_store" }
  variables {
    encrypted_transport_only = false
  }

  assert {
    condition     = length(aws_s3_bucket_policy.artifacts) == 0
    error_message = "Nobody could reach the bucket."
  }
}

run "settings_that_no_parameter_takes" {
  command         = plan
  expect_failures = [aws_ssm_parameter.settings]
  module { source = "./modules/release_store" }
  variables {
    settings_json = join("", [for number in range(1000) : "12345"])
  }
}

run "the_state_is_private_versioned_and_encrypted" {
  command = apply
  module { source = "./modules/state" }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.this.block_public_acls &&
      aws_s3_bucket_public_access_block.this.block_public_policy &&
      aws_s3_bucket_public_access_block.this.ignore_public_acls &&
      aws_s3_bucket_public_access_block.this.restrict_public_buckets &&
      aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    )
    error_message = "The state tells everything about the tier."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this[0].policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Whoever comes without TLS is refused."
  }
}
