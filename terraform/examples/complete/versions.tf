terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # Bucket, key and region come by -backend-config; the lock is an object beside the state.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = local.settings.aws.region
  allowed_account_ids = [local.settings.aws.account]

  default_tags {
    tags = {
      App         = local.settings.name
      Environment = local.settings.environment
      ManagedBy   = "terraform"
    }
  }
}
