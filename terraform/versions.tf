terraform {
  required_version = ">= 1.11"

  required_providers {
    # Tested with the version in .terraform.lock.hcl. Nothing here is gone in 6.x, but no test has run with it yet.
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}
