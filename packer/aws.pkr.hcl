# Where an image is made on AWS: an instance of Amazon Linux 2023 that no port leads to. Session Manager carries the SSH
# connection, so the security group needs no rule and the machine that runs Packer needs `session-manager-plugin`.
# Packer 1.6.6 knows neither of these blocks; it is given packer/neutral/ instead.

packer {
  required_version = ">= 1.9.0"
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "1.3.9" # exactly: two bakes of one commit have the same plugin
    }
  }
}

variable "base_image_parameter" {
  type        = string
  description = "The public parameter that names the newest base image of the architecture."
}

variable "instance_profile" {
  type        = string
  description = "The profile that lets Session Manager reach the instance; `rr-deploy bootstrap` makes it."
}

variable "deprecate_after" {
  type        = string
  description = "From then on the image is marked as deprecated."
}

variable "vpc_id" {
  type        = string
  description = "Where the instance runs; empty: the default VPC."
}

variable "subnet_id" {
  type        = string
  description = "Its subnet, which has to reach Session Manager; empty: one of the default VPC."
}

variable "public_ip" {
  type        = bool
  description = "Whether the instance needs an address of its own to reach out, as in the default VPC."
}

data "amazon-parameterstore" "base" {
  region = var.region
  name   = var.base_image_parameter
}

source "amazon-ebs" "app" {
  region        = var.region
  source_ami    = data.amazon-parameterstore.base.value
  instance_type = var.instance_type

  vpc_id                      = var.vpc_id
  subnet_id                   = var.subnet_id
  associate_public_ip_address = var.public_ip
  iam_instance_profile        = var.instance_profile

  communicator            = "ssh"
  ssh_interface           = "session_manager"
  ssh_username            = "ec2-user"
  ssh_timeout             = var.connect_timeout
  temporary_key_pair_type = "ed25519" # Amazon Linux 2023 refuses RSA keys that sign with SHA-1

  # Of the instance, and of every instance that the image is launched as.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  imds_support = "v2.0"

  encrypt_boot = true
  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = var.root_volume_size
    delete_on_termination = true
  }

  ami_name        = local.image_name
  ami_description = "${var.app_name}, commit ${var.commit}, build ${var.build}"
  deprecate_at    = timeadd(timestamp(), var.deprecate_after)
  tags            = local.image_tags
  snapshot_tags   = local.image_tags
  run_tags        = local.run_tags
  run_volume_tags = local.run_tags
}
