/** Files by which a machine does something, or keeps somebody out: whoever changes one changes more than a document. */
const kinds: readonly (readonly [what: string, patterns: readonly RegExp[]])[] = [
  ['a workflow', [
    /(?:^|\/)\.(?:github|gitea|forgejo)\/(?:workflows|actions)\//, /(?:^|\/)\.(?:circleci|buildkite|woodpecker)\//, /(?:^|\/)\.ci\//, /(?:^|\/)\.(?:gitlab-ci|travis|drone|woodpecker|appveyor)\.ya?ml$/,
    /(?:^|\/)(?:jenkinsfile|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|cloudbuild\.ya?ml|lefthook\.ya?ml|\.pre-commit-config\.yaml)$/, /(?:^|\/)\.(?:husky|githooks)\//,
  ]],
  ['operations', [
    /(?:^|\/)(?:dockerfile|containerfile|makefile|justfile|procfile|vagrantfile|caddyfile|crontab)(?:\.[^/]*)?$/, /(?:^|\/)(?:docker-)?compose(?:\.[^/]*)?\.ya?ml$/,
    /\.(?:tf|tfvars|tfstate|nomad|service|timer|socket|plist)$/, /(?:^|\/)(?:ansible|terraform|k8s|kubernetes|helm|systemd|ops|deploy|infra|cron\.[a-z]+)\//, /(?:^|\/)(?:nginx|sshd_config|pf|nftables|prometheus|alertmanager)(?:\.conf|\.ya?ml)?$/,
    /(?:^|\/)(?:castellan|labels)\.ya?ml$/,
  ]],
  ['security', [
    /(?:^|\/)(?:codeowners|security\.md|sudoers|\.htpasswd|\.htaccess|authorized_keys|known_hosts|id_[a-z0-9_-]+(?:\.pub)?|\.npmrc|\.netrc|\.pypirc|\.git-credentials|\.gitattributes|\.gitmodules|\.gitleaks\.toml|\.sops\.yaml)$/,
    /(?:^|\/)\.env(?:\.[^/]*)?$/, /\.(?:pem|key|p8|p12|pfx|jks|keystore|kdbx|ppk|age|gpg|asc|ovpn|crt|cer)$/, /(?:^|\/)(?:\.ssh|\.gnupg|\.aws|\.kube|\.docker|secrets?|credentials|certs?|pki)(?:\/|$)/,
    /(?:^|\/)(?:dependabot|renovate)\.(?:ya?ml|json5?)$/,
  ]],
]

/** What is delicate about a path, or nothing. */
export function delicate(path: string): string | undefined {
  const lower = path.toLowerCase()
  return kinds.find(([, patterns]) => patterns.some((pattern) => pattern.test(lower)))?.[0]
}

/** One line for each kind that is among the paths, with an example. */
export function delicateAmong(paths: readonly string[]): string[] {
  const found = new Map<string, string[]>()
  for (const path of paths) {
    const what = delicate(path)
    if (what !== undefined) found.set(what, [...(found.get(what) ?? []), path])
  }
  return [...found].map(([what, those]) => `${those.length === 1 ? 'a file' : `${those.length} files`} of ${what === 'a workflow' ? 'workflows' : what}, e.g. ${those[0]}`)
}
