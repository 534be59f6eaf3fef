# Bucket, key and region come by -backend-config (`rr-deploy settings render --for ci` prints them). The lock is an object
# beside the state, which is S3's own; no table is needed. Who has no bucket writes backend_override.tf, which is ignored
# by git: terraform { backend "local" {} }
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
