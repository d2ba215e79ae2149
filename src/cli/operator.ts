import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { createIdentity, listIdentities } from '../outbox/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import { openKey, operatorFolder } from './draft/choose-key.ts'
import { table } from './terminal/table.ts'

interface EnrolledKey {
  id: string
  name: string
  scope: string
  enrolled_at: string
  revoked_at: string | null
}

interface KeyLine {
  id: string
  name: string
  scope: string
  state: 'enrolled' | 'revoked' | 'not enrolled' | 'unknown'
  /** Is its private half in the operator's folder here? */
  here: boolean
  /** Does it need a passphrase? Null where the key is not here. */
  sealed: boolean | null
}

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

  addCommand<{ key?: string; passphraseFd?: number }>(operator, cli, {
    usage: 'enroll',
    summary: 'Tell the releaser of your key, with proof that you hold it',
    changes: true,
    configure: (command) => void command
      .option('--key <name>', 'which one, where you have more')
      .option('--passphrase-fd <number>', 'read the passphrase from this file descriptor', wholeNumber),
    async run({ home, ask, options, releaser }) {
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would enroll ${options.key ?? 'your key'}` }, (data) => data.would)
      const key = await openKey(home, ask, { name: options.key, passphraseDescriptor: options.passphraseFd })
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
      const key = (await client.get<EnrolledKey[]>('/keys')).find(({ id, name }) => id === args[0] || name === args[0])
      if (key === undefined) throw new Fault('missing', 'key.missing', `no key ${args[0]} is enrolled; \`castellan operator list\` shows them`)
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would revoke key ${key.id}` }, (data) => data.would)
      if (!(await ask.confirm(`Revoke key ${key.name} (${key.id}) for good?`))) return outcome({ id: key.id, state: 'enrolled' }, () => 'Nothing was changed.')
      await client.post(`/keys/${encodeURIComponent(key.id)}/revoke`)
      return outcome({ id: key.id, state: 'revoked' }, (data) => `Key ${data.id} is revoked.`)
    },
  })

  addCommand(operator, cli, {
    usage: 'list',
    summary: 'Your keys, and those that the releaser knows',
    async run(invocation) {
      return outcome(await listKeys(invocation), (keys, terminal) => keys.length === 0
        ? 'There is no key yet; castellan operator init makes one.'
        : table(terminal, ['NAME', 'ID', 'SIGNS FOR', 'STATE', 'PRIVATE HALF'], keys.map((key) => [
            key.name, key.id, key.scope === 'demonstration' ? 'files only (demonstration)' : 'everything', key.state,
            !key.here ? 'elsewhere' : key.sealed ? 'here, sealed by a passphrase' : 'here, in the open',
          ])))
    },
  })
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

/** Works without a running house too; then nobody knows which keys are enrolled. */
async function listKeys({ home, releaser }: Invocation): Promise<KeyLine[]> {
  const here = await listIdentities(operatorFolder(home))
  const enrolled = await releaser().then((client) => client.get<EnrolledKey[]>('/keys')).catch((error: unknown) => {
    if (error instanceof Fault && error.kind === 'unavailable') return undefined
    throw error
  })
  const known = new Map(enrolled?.map((key) => [key.id, key]))
  const stateOf = (id: string): KeyLine['state'] => {
    const key = known.get(id)
    return enrolled === undefined ? 'unknown' : key === undefined ? 'not enrolled' : key.revoked_at === null ? 'enrolled' : 'revoked'
  }
  const mine = here.map((key): KeyLine => ({ id: key.id, name: key.name, scope: key.scope, state: stateOf(key.id), here: true, sealed: key.sealed }))
  const others = [...known.values()].filter(({ id }) => !here.some((key) => key.id === id))
  return [...mine, ...others.map((key): KeyLine => ({ id: key.id, name: key.name, scope: key.scope, state: stateOf(key.id), here: false, sealed: null }))]
}
