/** Only look. */
const reading: ReadonlySet<string> = new Set([
  'status', 'log', 'diff', 'show', 'rev-parse', 'rev-list', 'ls-files', 'ls-tree', 'cat-file', 'describe', 'blame', 'annotate', 'shortlog', 'for-each-ref', 'show-ref', 'show-branch', 'grep', 'merge-base',
  'name-rev', 'count-objects', 'check-ignore', 'check-attr', 'diff-tree', 'diff-index', 'diff-files', 'whatchanged', 'cherry', 'range-diff', 'version', 'fsck', 'verify-commit', 'verify-tag',
])
/** Change the repository or its files; some lose what was there. */
const changing: ReadonlySet<string> = new Set([
  'add', 'commit', 'reset', 'clean', 'checkout', 'restore', 'switch', 'branch', 'tag', 'stash', 'rm', 'mv', 'gc', 'prune', 'repack', 'reflog', 'worktree', 'merge', 'cherry-pick', 'revert', 'rebase', 'am',
  'apply', 'update-ref', 'init', 'notes', 'sparse-checkout', 'replace', 'symbolic-ref', 'read-tree', 'checkout-index', 'update-index',
])
const outward: ReadonlySet<string> = new Set(['push', 'fetch', 'pull', 'clone', 'ls-remote', 'remote', 'send-email', 'send-pack', 'fetch-pack', 'daemon', 'http-push', 'http-fetch', 'archive'])
/** Before the subcommand; `-c` and its kind set a configuration by which git starts programs. */
const harmless = /^(?:--no-pager|-P|--no-replace-objects|--literal-pathspecs|--no-optional-locks|--bare|-p|--paginate)$/
/** Options by which a subcommand starts another program; a beginning of a long one counts too. */
const startingLong = ['--open-files-in-pager', '--ext-diff', '--textconv', '--exec', '--upload-pack', '--receive-pack', '--strategy', '--gpg-sign', '--sign', '--local-user', '--edit-description']
const startingLetter: Readonly<Record<string, RegExp>> = {
  grep: /^-[a-zA-Z0-9]*O/, rebase: /^-[a-zA-Z0-9]*[xs]/, merge: /^-[a-zA-Z0-9]*[sS]/, 'cherry-pick': /^-[a-zA-Z0-9]*S/, revert: /^-[a-zA-Z0-9]*S/, commit: /^-[a-zA-Z0-9]*S/, am: /^-[a-zA-Z0-9]*S/,
  tag: /^-[a-zA-Z0-9]*[su]/,
}

export type GitVerdict = { readonly outcome: 'allowed' } | { readonly outcome: 'dry_run' | 'forbidden'; readonly rule: string; readonly why: string }

/** What a git command does, by its subcommand. What is not among those that are known could be an alias, which can be any program. */
export function judgeGit(args: readonly string[]): GitVerdict {
  let at = 0
  for (; at < args.length && args[at]!.startsWith('-'); at += 1) {
    if (args[at] === '-C') at += 1
    else if (args[at] === '--version' || args[at] === '--help') return { outcome: 'allowed' }
    else if (!harmless.test(args[at]!)) return { outcome: 'forbidden', rule: 'hidden', why: `has the option ${args[at]}, by which git could start another program; leave it out` }
  }
  const command = args[at] ?? ''
  const rest = args.slice(at + 1)
  if (outward.has(command)) return { outcome: 'forbidden', rule: 'remote', why: `would reach another repository (${command}); propose git.push with outbox.propose` }
  const starts = reading.has(command) || changing.has(command) ? rest.find((one) => isStarting(command, one.split('=', 1)[0]!)) : undefined
  if (starts !== undefined) return { outcome: 'forbidden', rule: 'hidden', why: `has ${starts}, by which git could start another program; leave it out` }
  if (reading.has(command)) return rest.some((one) => one.length > 4 && '--output'.startsWith(one.split('=', 1)[0]!)) ? { outcome: 'dry_run', rule: 'overwrites', why: 'writes over what --output names' } : { outcome: 'allowed' }
  if (changing.has(command)) return { outcome: 'dry_run', rule: 'removes', why: `${command} can lose files or commits` }
  return { outcome: 'forbidden', rule: 'hidden', why: `${JSON.stringify(command)} is not among the subcommands that are known, and an alias can start any program` }
}

function isStarting(command: string, option: string): boolean {
  if (option.startsWith('--')) return option.length > 2 && startingLong.some((one) => one.startsWith(option))
  return startingLetter[command]?.test(option) ?? false
}
