import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { describeLevel, parseLevel } from '../labels/index.ts'
import { parseDuration } from '../house/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { createClientKey, type ClientKey, type MadeKey } from './key/create-client-key.ts'
import { pairs, table } from './terminal/table.ts'
import { moment, type Here } from './terminal/wording.ts'

interface KeyOptions {
  gate?: string
  lane?: string
  maxLabel?: string
  models?: string
  expires?: string
}

export function register(program: Command, cli: Cli): void {
  const key = program.command('key').description('Keys by which other programs ask your gates: an editor, a chat, a script')

  addCommand<KeyOptions>(key, cli, {
    usage: 'create <name>',
    summary: 'Make a key; it is shown once',
    changes: true,
    configure: (command) => void command
      .option('--gate <gate>', 'local: models on your machines; cloud: cloud models (default: local)')
      .option('--lane <lane>', 'whose rules its calls obey (default: private, for the cloud open)')
      .option('--max-label <level>', 'the highest label that a call may carry (default: P2, for the cloud P1)')
      .option('--models <patterns>', 'only these, as upstream/model with *, separated by commas')
      .option('--expires <time>', 'how long it is good, e.g. 90d (default: until you revoke it)'),
    async run({ args, options, releaser }) {
      const wanted = readKey(args[0]!, options)
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would make key ${wanted.name} for gate ${wanted.gate}, lane ${wanted.lane}, up to ${describeLevel(wanted.max_level)}` }, (data) => data.would)
      return outcome({ ...(await createClientKey(client, wanted)), state: 'good' }, (data) => madeText(data))
    },
  })

  addCommand(key, cli, {
    usage: 'list',
    summary: 'The keys that were made, and what they are good for',
    async run({ here, releaser }) {
      const keys = await (await releaser()).get<ClientKey[]>('/client-keys')
      return outcome(keys.map((one) => ({ ...one, state: stateOf(one, here) })), (data, terminal) => data.length === 0
        ? 'No other program has a key: castellan key create NAME makes one, castellan connect says how to use it.'
        : table(terminal, ['NAME', 'GATE', 'LANE', 'UP TO', 'MODELS', 'STATE', 'MADE', 'LAST USED'], data.map((one) => [
            one.name, one.gate, one.lane, describeLevel(one.max_level), allowed(one), one.state, moment(one.made_at, here), one.last_used_on ?? '',
          ])))
    },
  })

  addCommand(key, cli, {
    usage: 'show <name>',
    summary: 'One key: what it is good for, and when it was used last; never the key itself',
    async run({ args, here, releaser }) {
      // the newest of that name: the others are revoked
      const found = (await (await releaser()).get<ClientKey[]>('/client-keys')).find(({ name }) => name === args[0])
      if (found === undefined) throw new Fault('missing', 'client_key.missing', `there is no key ${args[0]}; \`castellan key list\` shows them`)
      return outcome({ ...found, state: stateOf(found, here) }, (data, terminal) => pairs(terminal, [
        ['key', data.name], ['state', data.state], ['gate', data.gate], ['lane', data.lane], ['up to', describeLevel(data.max_level)], ['models', allowed(data)],
        ['made', moment(data.made_at, here)], ['good until', data.expires_at === null ? 'you revoke it' : moment(data.expires_at, here)],
        ...(data.revoked_at === null ? [] : [['revoked', moment(data.revoked_at, here)] as const]), ['last used', data.last_used_on ?? 'not in the calls that are kept'],
      ]))
    },
  })

  addCommand(key, cli, {
    usage: 'revoke <name>',
    summary: 'The key opens nothing from now on',
    changes: true,
    async run({ args, options, ask, releaser }) {
      const name = args[0]!
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would revoke key ${name}` }, (data) => data.would)
      if (!(await ask.confirm(`Revoke key ${name} for good? Who uses it gets no answer any more.`))) return outcome({ name, state: 'good' }, () => 'Nothing was changed.')
      return outcome(await client.post<{ name: string; state: string }>(`/client-keys/${encodeURIComponent(name)}/revoke`), (data) => `Key ${data.name} is revoked.`)
    },
  })
}

function readKey(name: string, options: Invocation<KeyOptions>['options']): Parameters<typeof createClientKey>[1] {
  const gate = options.gate ?? 'local'
  if (gate !== 'local' && gate !== 'cloud') throw new Fault('invalid', 'usage', '--gate is local or cloud')
  return {
    name, gate,
    lane: options.lane ?? (gate === 'cloud' ? 'open' : 'private'),
    max_level: parseLevel(options.maxLabel ?? (gate === 'cloud' ? 'P1' : 'P2')),
    models: (options.models ?? '').split(',').map((pattern) => pattern.trim()).filter((pattern) => pattern !== ''),
    lasts: options.expires === undefined ? null : parseDuration(options.expires),
  }
}

function madeText({ name, key, gate, lane, max_level, expires_at }: MadeKey): string {
  return [
    `Key ${name} for gate ${gate}, lane ${lane}, up to ${describeLevel(max_level)}${expires_at === null ? '' : `, until ${expires_at.slice(0, 10)}`}. It is shown this once:`,
    `  ${key}`,
    `castellan connect says what to paste where. It ends with: castellan key revoke ${name}`,
  ].join('\n')
}

function allowed({ models }: Pick<ClientKey, 'models'>): string {
  return models.join(', ') || 'all that its label reaches'
}

function stateOf({ revoked_at, expires_at, waits }: ClientKey, { now }: Here): string {
  if (revoked_at !== null) return 'revoked'
  if (expires_at !== null && Date.parse(expires_at) <= now.getTime()) return 'expired'
  return waits ? 'fenced' : 'good'
}
