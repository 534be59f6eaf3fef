# Who may take which role: GitHub says in the token which repository, and which branch, environment or kind of run.

locals {
  issuer       = "token.actions.githubusercontent.com"
  provider_arn = "${local.arn}:iam::${var.account_id}:oidc-provider/${local.issuer}"
  subject      = replace(var.ci.subject_prefix, "{repository}", var.ci.repository)

  # A pull request may look; the branch may bake; only the environment, which people approve, may change anything that serves.
  subjects = {
    plan   = ["${local.subject}:pull_request", "${local.subject}:ref:refs/heads/${var.ci.branch}"]
    apply  = ["${local.subject}:environment:${var.ci.github_environment}"]
    bake   = ["${local.subject}:ref:refs/heads/${var.ci.branch}"]
    deploy = ["${local.subject}:environment:${var.ci.github_environment}"]
  }

  # Without a repository there is nobody to trust.
  role_names = {
    for purpose, name in {
      plan   = var.ci.plan_role
      apply  = var.ci.apply_role
      bake   = var.ci.bake_role
      deploy = var.ci.deploy_role
    } : purpose => name if var.ci.repository != ""
  }

  meanings = {
    plan   = "reads what a plan needs, and changes nothing"
    apply  = "changes the shape of the tier"
    bake   = "makes images"
    deploy = "releases and rolls back"
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.ci.repository != "" && var.ci.oidc_provider == "create" ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"] # only compared, so it is the same in every partition
}

resource "aws_iam_role" "ci" {
  for_each   = local.role_names
  depends_on = [aws_iam_openid_connect_provider.github]

  name                 = each.value
  description          = "CI of ${var.ci.repository}: ${local.meanings[each.key]}."
  max_session_duration = var.ci.role_session

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = local.provider_arn }
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = local.subjects[each.key]
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "ci" {
  #checkov:skip=CKV_AWS_290: only where the service knows no resource for the action; see locals.looking
  #checkov:skip=CKV_AWS_355: likewise
  #trivy:ignore:AWS-0057 likewise
  for_each = local.role_names

  name   = each.key
  role   = aws_iam_role.ci[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })
}

# AWS takes 10,240 characters of inline policy a role, white space not counted.
check "policies_fit" {
  assert {
    condition     = alltrue([for policy in local.policies : length(jsonencode(policy)) < 10240]) # not a setting: AWS's limit
    error_message = "A role's policy is longer than AWS takes."
  }
}
