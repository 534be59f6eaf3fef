terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  # The same bucket as the tier's state, under a key of its own.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = module.settings.aws.region
  allowed_account_ids = module.settings.aws.account == "" ? null : [module.settings.aws.account]
  s3_use_path_style   = var.local_endpoint

  default_tags {
    tags = {
      App         = module.settings.name
      Environment = module.settings.environment
      ManagedBy   = "terraform-bootstrap"
    }
  }
}
