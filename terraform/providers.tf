provider "aws" {
  region              = var.aws.region
  allowed_account_ids = var.aws.account == "" ? null : [var.aws.account]
  s3_use_path_style   = var.local_endpoint

  default_tags {
    tags = {
      App         = var.name
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
