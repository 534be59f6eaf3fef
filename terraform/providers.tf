provider "aws" {
  region              = module.settings.aws.region
  allowed_account_ids = module.settings.aws.account == "" ? null : [module.settings.aws.account]
  s3_use_path_style   = var.local_endpoint

  default_tags {
    tags = {
      App         = module.settings.name
      Environment = module.settings.environment
      ManagedBy   = "terraform"
    }
  }
}
