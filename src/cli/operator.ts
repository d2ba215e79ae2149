import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { createIdentity } from '../outbox/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import { openKey, operatorFolder } from './draft/choose-key.ts'
import { enrollPasskey, type EnrollOptions } from './operator/enroll-passkey.ts'
import { listKeys, type EnrolledKey } from './operator/list-keys.ts'

export function register(program: Command, cli: Cli): void {
  const operator = program.command('operator').description('The keys that you sign with; the releaser knows their public halves')

  addCommand<{ name?: string; passphraseFd?: number }>(operator, cli, {
    usage: 'init',
    summary: 'Make a signing key, sealed by a passphrase',
    changes: true,
    configure: (command) => void command
      .option('--name <name>', 'what to call it (default: your user name)')
      .option('--passphrase-fd <number>', 'read the passphrase from this file descriptor', wholeNumber),
    run: makeKey,
  })

  addCommand<EnrollOptions>(operator, cli, {
    usage: 'enroll',
    summary: 'Tell the releaser of your key: a passkey of a browser, or the one of this terminal',
    changes: true,
    configure: (command) => void command
      .option('--passkey', 'a passkey: prints a link that counts once, to open in the browser')
      .option('--name <name>', 'with --passkey: what to call it')
      .option('--wait', 'with --passkey: wait until it was used (the default in a terminal)')
      .option('--no-wait', 'with --passkey: do not wait')
      .option('--key <name>', 'which one, where you have more')
      .option('--passphrase-fd <number>', 'read the passphrase from this file descriptor', wholeNumber),
    async run(invocation) {
      const { home, ask, options, releaser } = invocation
      if (options.passkey) return enrollPasskey(invocation)
      if (options.name !== undefined) throw new Fault('invalid', 'usage', '--name goes with --passkey; a key of the terminal got its name when it was made')
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would enroll ${options.key ?? 'your key'}` }, (data) => data.would)
      const key = await openKey(home, ask, client, { name: options.key, passphraseDescriptor: options.passphraseFd })
      const { id, name, scope } = await client.post<EnrolledKey>('/keys/enroll', key.enrolment())
      return outcome({ id, name, scope, state: 'enrolled' }, (data) => `Key ${data.name} (${data.id}) is enrolled: what it signs leaves.`)
    },
  })

  addCommand(operator, cli, {
    usage: 'revoke <id>',
    summary: 'Signatures of this key count no longer',
    changes: true,
    async run({ args, ask, options, releaser }) {
      const client = await releaser()
      const key = choose(await client.get<EnrolledKey[]>('/keys'), args[0]!)
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would revoke key ${key.id}` }, (data) => data.would)
      if (!(await ask.confirm(`Revoke key ${key.name} (${key.id}) for good?${key.kind === 'passkey' ? ' The sessions that it opened end too.' : ''}`))) return outcome({ id: key.id, state: 'enrolled' }, () => 'Nothing was changed.')
      await client.post(`/keys/${encodeURIComponent(key.id)}/revoke`)
      return outcome({ id: key.id, state: 'revoked' }, (data) => `Key ${data.id} is revoked.`)
    },
  })

  addCommand(operator, cli, {
    usage: 'list',
    summary: 'Your keys, and those that the releaser knows',
    run: listKeys,
  })
}

/** By its id, or by a name that only one key has; sessions go by the name of their passkey, which is meant then. */
function choose(keys: readonly EnrolledKey[], asked: string): EnrolledKey {
  const byId = keys.find(({ id }) => id === asked)
  if (byId) return byId
  const named = keys.filter(({ name, kind, revoked_at }) => name === asked && kind !== 'session' && revoked_at === null)
  if (named.length > 1) throw new Fault('invalid', 'key.which', `there is more than one key named ${asked} (${named.map(({ id }) => id).join(', ')}); name it by its id`)
  const [key] = named
  if (key === undefined) throw new Fault('missing', 'key.missing', `no key ${asked} is enrolled; \`castellan operator list\` shows them`)
  return key
}

async function makeKey({ home, ask, options }: Invocation<{ name?: string; passphraseFd?: number }>): Promise<Outcome> {
  const name = options.name ?? userInfo().username.toLowerCase().replace(/[^a-z0-9_-]/g, '-')
  const folder = operatorFolder(home)
  if (options.dryRun) return outcome({ state: 'dry_run', would: `would make a key named ${name} in ${folder}` }, (data) => data.would)
  const passphrase = await ask.secret(`A passphrase for key ${name}, at least 8 characters`, options.passphraseFd)
  if (options.passphraseFd === undefined && passphrase !== (await ask.secret('The same passphrase again'))) {
    throw new Fault('invalid', 'identity.passphrase', 'the two passphrases differ; nothing was made')
  }
  const key = await createIdentity(folder, { name, scope: 'operator', passphrase })
  return outcome({ id: key.id, name, scope: key.scope, state: 'not enrolled', folder }, (data) =>
    `Made key ${data.name} (${data.id}) in ${data.folder}.\nTell the releaser of it: castellan operator enroll --key ${data.name}\nNobody can recover the passphrase.`)
}
