# An image with the application of the settings: what is installed, how it is named and tagged, what is written down about
# it. Where it is made stands in another file, one of two:
#
#   packer build -var-file=... packer/           aws.pkr.hcl: Amazon Linux 2023 over Session Manager. Packer 1.9 or newer.
#   packer build -var-file=... packer/neutral/   source.pkr.hcl: any EC2 endpoint and any host that SSH reaches. Debian's
#                                                1.6.6 too, so what stands in this file keeps to what that one knows.
#
# The variables come from the file that packer/bundle writes beside the bundle. packer/bake does all of it.

variable "bundle" {
  type        = string
  description = "The archive that packer/bundle made."
}

variable "bundle_sha256" {
  type        = string
  description = "Its SHA-256, checked again on the instance."
}

variable "commit" {
  type        = string
  description = "The commit that the application was built from; a tag of the image."
}

variable "build" {
  type        = string
  description = "The number of that build; a tag of the image."
}

variable "manifest" {
  type        = string
  description = "Where it is written down what was made."
}

variable "name" {
  type        = string
  description = "The product's name in the settings."
}

variable "environment" {
  type        = string
  description = "The environment's name in the settings."
}

variable "tier" {
  type        = string
  description = "The name that everything of this environment begins with."
}

variable "app_name" {
  type        = string
  description = "The application's name: of its folder, its unit and its images."
}

variable "region" {
  type        = string
  description = "Where the image is made, and stays."
}

variable "architecture" {
  type        = string
  description = "x86_64 or arm64: of the instance type, the base image and the bundle."
}

variable "instance_type" {
  type        = string
  description = "What the image is made on."
}

variable "root_volume_size" {
  type        = number
  description = "GiB of the root volume, which the image's instances have too."
}

variable "connect_timeout" {
  type        = string
  description = "How long the instance may take to be reached."
}

locals {
  # One name an image: a second bake of the same commit and build is refused by EC2 instead of making a twin.
  image_name = "${var.tier}-${var.app_name}-${var.build}-${substr(var.commit, 0, 12)}-${var.architecture}"

  # The instance, its volumes and its key, while they live: whoever finds one left over knows whose it was.
  run_tags = {
    Name        = "${var.tier}-bake"
    App         = var.name
    Environment = var.environment
    Commit      = var.commit
    Build       = var.build
  }

  # BaseAMI is filled in when the image is made. rr-deploy reads App, Environment, Commit and Build before a release.
  image_tags = {
    Name         = local.image_name
    App          = var.name
    Environment  = var.environment
    Application  = var.app_name
    Commit       = var.commit
    Build        = var.build
    Architecture = var.architecture
    BundleSHA256 = var.bundle_sha256
    BaseAMI      = "{{ .SourceAMI }}"
    BuiltAt      = "{{ isotime `2006-01-02T15:04:05Z` }}"
  }
}

build {
  sources = ["source.amazon-ebs.app"]

  provisioner "file" {
    source      = var.bundle
    destination = "/tmp/bundle.tar.gz"
  }

  provisioner "shell" {
    execute_command = "chmod +x {{ .Path }}; {{ .Vars }} ${var.become} {{ .Path }}"
    inline_shebang  = "/bin/bash -e"
    inline = [
      "echo '${var.bundle_sha256}  /tmp/bundle.tar.gz' | sha256sum --check --quiet",
      "rm -rf /tmp/bundle && mkdir -m 0700 /tmp/bundle",
      "tar -xzf /tmp/bundle.tar.gz -C /tmp/bundle --no-same-owner",
      "rm /tmp/bundle.tar.gz",
      "/tmp/bundle/install --image ${var.agent ? "" : "--without-agent"}",
      "rm -rf /tmp/bundle",
    ]
  }

  post-processor "manifest" {
    output     = var.manifest
    strip_path = true
    custom_data = {
      name          = local.image_name
      commit        = var.commit
      build         = var.build
      architecture  = var.architecture
      bundle_sha256 = var.bundle_sha256
    }
  }
}

variable "agent" {
  type        = bool
  description = "Whether the image has the agent that sends the journal to CloudWatch Logs."
  default     = true
}

variable "become" {
  type        = string
  description = "What is written before a command that needs root: empty where one is root already."
  default     = "sudo -E"
}
