provider "aws" {
  region              = module.settings.aws.region
  allowed_account_ids = module.settings.aws.account == "" ? null : [module.settings.aws.account]
  # Where AWS_ENDPOINT_URL leads to an endpoint whose buckets are no host names.
  s3_use_path_style = var.s3_use_path_style

  default_tags {
    tags = {
      App         = module.settings.name
      Environment = module.settings.environment
      ManagedBy   = "terraform"
    }
  }
}
