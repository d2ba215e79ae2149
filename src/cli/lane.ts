import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { describeLevel, parseLevel, type Level } from '../labels/index.ts'
import { clearanceLine, proposedText, readEnd, revokedText, type Clearance, type ProposedClearance, type RevokedClearance } from './clearance/clearances.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'

interface ClearOptions {
  upstream?: string
  level?: string
  expires?: string
}

interface LaneLine {
  readonly name: string
  readonly worker: 'open' | 'private'
  readonly cloud_clearance: -1 | 0 | 1
  readonly providers: readonly string[]
  readonly redacts: boolean
  readonly cleared: readonly { readonly upstream: string; readonly expires_at: string | null }[]
}

export function register(program: Command, cli: Cli): void {
  const lane = program.command('lane').description('Lanes: what may reach which models, and what you have cleared beyond that')

  addCommand(lane, cli, {
    usage: 'list',
    summary: 'The lanes, what they show to cloud models, and which providers are cleared for P2',
    async run({ releaser }) {
      return outcome(await (await releaser()).get<LaneLine[]>('/lanes'), (data, terminal) => table(terminal, ['LANE', 'WORKER', 'TO A CLOUD', 'CLEARED FOR P2', 'PROVIDERS', 'REDACTS'], data.map((one) => [
        one.name, one.worker, one.cloud_clearance < 0 ? 'nothing' : `up to ${describeLevel(one.cloud_clearance as Level)}`,
        one.cleared.map(({ upstream, expires_at }) => `${upstream}${expires_at === null ? '' : ` until ${expires_at.slice(0, 10)}`}`).join(', ') || 'none',
        one.providers.join(', ') || 'none', one.redacts ? 'yes' : 'no',
      ])))
    },
  })

  addCommand(lane, cli, {
    usage: 'clearances',
    summary: 'All that you have cleared by signed acts: providers for P2 of a lane, machines of your own for P3',
    async run({ here, releaser }) {
      const found = await (await releaser()).get<Clearance[]>('/clearances')
      return outcome(found, (data, terminal) => data.length === 0
        ? 'Nothing is cleared beyond what castellan.yaml says: castellan lane clear LANE --upstream NAME --level P2'
        : table(terminal, ['FOR', 'UPSTREAM', 'AT', 'UP TO', 'STATE', 'GRANTED', 'UNTIL'], data.map((one) => clearanceLine(one, terminal, here))))
    },
  })

  addCommand<ClearOptions>(lane, cli, {
    usage: 'clear <lane>',
    summary: 'Propose that one provider may see P2 of a lane; nothing is cleared before you have signed it',
    changes: true,
    configure: (command) => void command
      .requiredOption('--upstream <name>', 'the one provider, as castellan.yaml names it')
      .requiredOption('--level <level>', 'P2: what is lower castellan.yaml says by itself')
      .option('--expires <date>', 'until when: a day such as 2027-03-31, or a span such as 90d (default: until you take it back)'),
    run: clear,
  })

  addCommand<ClearOptions>(lane, cli, {
    usage: 'unclear <lane>',
    summary: 'Take back what is cleared; at once, without a signature',
    changes: true,
    configure: (command) => void command.requiredOption('--upstream <name>', 'the provider that is cleared'),
    async run({ args, options, releaser }) {
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would take back that ${options.upstream} may see P2 of lane ${args[0]}` }, (data) => data.would)
      return outcome(await client.post<RevokedClearance>('/clearances/revoke', { lane: args[0], upstream: options.upstream }), (data) => revokedText(data, `${data.upstream} sees no P2 of lane ${data.lane} any more.`))
    },
  })
}

async function clear({ args, options, here, releaser }: Invocation<ClearOptions>): Promise<Outcome> {
  const [lane, upstream] = [args[0]!, options.upstream!]
  const level = parseLevel(options.level!)
  if (level !== 2) {
    throw new Fault('invalid', 'usage', level === 3
      ? `${describeLevel(3)} reaches no cloud model, whoever signs; for another machine of your own: castellan model own NAME`
      : `up to ${describeLevel(1)} a lane says by itself: lanes.${lane}.cloud_clearance in castellan.yaml`)
  }
  const wanted = { lane, upstream, expires_at: readEnd(options.expires, here.now) }
  const client = await releaser()
  if (options.dryRun) return outcome({ state: 'dry_run', would: `would make a draft that lets ${upstream} see ${describeLevel(2)} of lane ${lane}${wanted.expires_at === null ? '' : ` until ${wanted.expires_at}`}` }, (data) => data.would)
  return outcome({ ...(await client.post<ProposedClearance>('/clearances', wanted)), state: 'waiting' }, (data) => proposedText(data))
}
