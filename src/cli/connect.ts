import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { clients, type ClientRecipe } from './connect/clients.ts'
import { createClientKey } from './key/create-client-key.ts'

interface ConnectOptions {
  gate?: string
  key?: string
  model?: string
}

export function register(program: Command, cli: Cli): void {
  addCommand<ConnectOptions>(program, cli, {
    usage: 'connect [client]',
    summary: 'Make a key for another program, and print what to paste into it',
    changes: true,
    configure: (command) => void command
      .option('--gate <gate>', 'local: models on your machines; cloud: cloud models (default: local)')
      .option('--key <key>', 'a key that you have already, instead of a new one')
      .option('--model <model>', 'what it is to ask for (default: auto)'),
    run: connect,
  })
}

async function connect(invocation: Invocation<ConnectOptions>): Promise<Outcome> {
  const { args, options, house } = invocation
  const recipe = clients.find(({ name }) => name === args[0])
  if (recipe === undefined) {
    if (args[0] === undefined) return outcome(clients.map(({ name, title }) => ({ name, title })), (data) => data.map(({ name, title }) => `castellan connect ${name.padEnd(14)} ${title}`).join('\n'))
    throw new Fault('missing', 'client.missing', `nothing is known of ${args[0]}; known are ${clients.map(({ name }) => name).join(', ')}. Whatever speaks OpenAI's wire is connected as openai-sdk`)
  }
  const gate = options.gate ?? 'local'
  if (gate !== 'local' && gate !== 'cloud') throw new Fault('invalid', 'usage', '--gate is local or cloud')
  const port = house().ports[gate === 'local' ? 'gateLocal' : 'gateCloud']
  if (options.dryRun) return outcome({ state: 'dry_run', would: `would make a key for ${recipe.title} at gate ${gate}, and print its settings` }, (data) => data.would)
  const key = options.key ?? (await newKey(invocation, recipe, gate))
  const address = `http://127.0.0.1:${port}`
  const data = { client: recipe.name, address, key, settings: recipe.settings({ address, key, model: options.model ?? 'auto' }) }
  return outcome(data, () => [`For ${recipe.title}, ${recipe.where}:`, '', data.settings, ...(recipe.note === undefined ? [] : ['', recipe.note])].join('\n'))
}

/** Named after the client; the second one of a client says so. */
async function newKey({ releaser, say }: Invocation<ConnectOptions>, { name }: ClientRecipe, gate: 'local' | 'cloud'): Promise<string> {
  const client = await releaser()
  const taken = (await client.get<{ name: string; revoked_at: string | null }[]>('/client-keys')).filter(({ revoked_at }) => revoked_at === null).map((one) => one.name)
  const free = Array.from({ length: taken.length + 1 }, (_, count) => (count === 0 ? name : `${name}-${count + 1}`)).find((candidate) => !taken.includes(candidate))!
  const made = await createClientKey(client, {
    name: free, gate, lane: gate === 'cloud' ? 'open' : 'private', max_level: gate === 'cloud' ? 1 : 2, models: [], lasts: null,
  })
  say(`made key ${made.name}, shown this once; castellan key revoke ${made.name} ends it`)
  return made.key
}
