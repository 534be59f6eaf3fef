terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region = local.settings.aws.region

  default_tags {
    tags = {
      App         = local.settings.name
      Environment = local.settings.environment
    }
  }
}
