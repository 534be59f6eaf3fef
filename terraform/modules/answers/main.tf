# Asks the tier's health check through the load balancer at each plan and apply, and warns when it does not answer: a check
# stops nothing. It proves no release (`rr-deploy verify` does); it is for whoever calls Terraform alone. In a module of its
# own, since it needs a provider that nothing else here does.

locals {
  address = "${trimsuffix(var.url, "/")}${var.path}"
}

check "the_tier_answers" {
  data "http" "health_check" {
    url                = local.address
    request_timeout_ms = var.timeout * 1000 # not a setting: milliseconds of a second

    retry {
      attempts = var.attempts
    }
  }

  assert {
    condition     = data.http.health_check.status_code < 400 # not a setting: HTTP's errors begin there
    error_message = "${local.address} answers ${data.http.health_check.status_code}."
  }
}
