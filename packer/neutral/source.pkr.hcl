# Where an image is made when the endpoint is not AWS's own: an EC2 API at an address, and a host that SSH reaches. It has
# nothing that Packer 1.6.6 does not know, and so lacks what only AWS gives: Session Manager, IMDSv2, deprecation.

variable "endpoint" {
  type        = string
  description = "The address of the EC2 API, such as http://127.0.0.1:4566."
}

variable "source_ami" {
  type        = string
  description = "The image to begin with; the endpoint has to know it."
}

variable "ssh_host" {
  type        = string
  description = "The host that stands for the instance."
}

variable "ssh_port" {
  type        = number
  description = "Its port."
}

variable "ssh_username" {
  type        = string
  description = "Who may become root there, or is."
}

variable "ssh_private_key_file" {
  type        = string
  description = "The key that lets Packer in."
}

source "amazon-ebs" "app" {
  region        = var.region
  source_ami    = var.source_ami
  instance_type = var.instance_type

  custom_endpoint_ec2         = var.endpoint
  skip_region_validation      = true
  skip_credential_validation  = true
  skip_metadata_api_check     = true
  associate_public_ip_address = false

  communicator         = "ssh"
  ssh_host             = var.ssh_host
  ssh_port             = var.ssh_port
  ssh_username         = var.ssh_username
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = var.connect_timeout

  encrypt_boot = false
  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    iops                  = 3000 # not a setting: gp3's own; 1.6.6 wants both said
    throughput            = 125  # not a setting: likewise
    volume_size           = var.root_volume_size
    delete_on_termination = true
  }

  ami_name        = local.image_name
  ami_description = "${var.app_name}, commit ${var.commit}, build ${var.build}"
  tags            = local.image_tags
  snapshot_tags   = local.image_tags
  run_tags        = local.run_tags
  run_volume_tags = local.run_tags
}
