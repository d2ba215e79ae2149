import { Option, type Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { describeLevel, parseLevel, type Level } from '../labels/index.ts'
import { readEnd } from './clearance/clearances.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import { table } from './terminal/table.ts'
import { paintState } from './terminal/terminal.ts'
import { moment, shortId } from './terminal/wording.ts'

/** An order, as the releaser lists it. */
interface OrderLine {
  readonly id: string
  readonly name: string
  /** `fenced`: an older copy of the database came back, and it counts again after `castellan outbox resume`. */
  readonly state: 'good' | 'fenced' | 'expired' | 'revoked' | 'void'
  readonly problem: string | null
  readonly kind: string | null
  readonly connector: string | null
  readonly per_day: number | null
  readonly used_today: number
  readonly used: number
  readonly granted_at: string
  readonly expires_at: string | null
  readonly text: string | null
}

interface ProposeOptions {
  readonly kind: string
  readonly connector: string
  readonly perDay: number
  readonly expires?: string
  readonly level?: string
  readonly from?: string
  readonly to?: string
  readonly senders?: string[]
  readonly add?: string[]
  readonly remove?: string[]
  readonly folder?: string
  readonly dryRun?: boolean
}

export function register(program: Command, cli: Cli): void {
  const order = program.command('order').description('Standing orders: small acts that leave without a signature of their own, as you signed once')

  addCommand(order, cli, {
    usage: 'list',
    summary: 'Every order: what it is for, whether it counts, and how much of today is used',
    async run({ here, releaser }) {
      const orders = await (await releaser()).get<OrderLine[]>('/orders')
      return outcome(orders, (data, terminal) => data.length === 0
        ? 'No order stands: every act waits for your signature. castellan order propose --help'
        : table(terminal, ['ORDER', 'STATE', 'KIND', 'BY', 'TODAY', 'IN ALL', 'SINCE', 'UNTIL'], data.map((one) => [
          one.name, one.problem === null ? paintState(terminal, one.state) : terminal.paint('red', `void: ${one.problem}`), one.kind ?? '', one.connector ?? '',
          `${one.used_today} of ${one.per_day ?? '?'}`, String(one.used), moment(one.granted_at, here), one.expires_at === null ? 'you take it back' : moment(one.expires_at, here),
        ])))
    },
  })

  addCommand(order, cli, {
    usage: 'show <name>',
    summary: 'What an order says, word for word as it was signed',
    async run({ args, releaser }) {
      const found = (await (await releaser()).get<OrderLine[]>('/orders')).find((one) => one.name === args[0] || one.id === args[0])
      if (!found) throw new Fault('missing', 'order.missing', `there is no order ${args[0]}; castellan order list`)
      return outcome(found, (data) => [
        `Order ${data.name}, ${data.state}${data.problem === null ? '' : `: ${data.problem}`}. Today ${data.used_today} of ${data.per_day}, in all ${data.used}.`, '',
        data.text ?? 'Its bytes cannot be read.', `Signed as draft ${shortId(data.id)}: castellan draft show ${shortId(data.id)}`,
      ].join('\n'))
    },
  })

  addCommand<ProposeOptions>(order, cli, {
    usage: 'propose <name>',
    summary: 'Make a draft of an order; nothing leaves by it before you have signed it with a passkey',
    changes: true,
    configure: (command) => void command
      .addOption(new Option('--kind <kind>', 'what it is about').choices(['mail.move', 'mail.flag', 'files.move', 'telegram.message']).makeOptionMandatory())
      .requiredOption('--connector <name>', 'by which way out')
      .requiredOption('--per-day <number>', 'how many a day, in the zone of the house', wholeNumber)
      .option('--expires <date>', 'until when: a day such as 2027-03-31, or a span such as 90d; only messages to yourself may stand without')
      .option('--level <level>', 'up to which label: P0, P1 or P2 (default: P2)')
      .option('--senders <addresses...>', 'mail: whose messages, exactly')
      .option('--from <folder>', 'out of which folder')
      .option('--to <folder>', 'into which folder')
      .option('--add <flags...>', 'mail.flag: flags that may be set')
      .option('--remove <flags...>', 'mail.flag: flags that may be taken away')
      .option('--folder <name>', 'files.move: the declared folder'),
    run: propose,
  })

  addCommand(order, cli, {
    usage: 'revoke <name>',
    summary: 'Take an order back; at once, without a signature. What it approved and is held waits for you',
    changes: true,
    async run({ args, options, releaser }) {
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would take back the order ${args[0]}` }, (data) => data.would)
      return outcome(await client.post<{ id: string; name: string; state: 'revoked' }>('/orders/revoke', { name: args[0] }), (data) => `The order ${data.name} is taken back. What it would have approved waits for your signature from now on.`)
    },
  })
}

async function propose({ args, options, here, releaser }: Invocation<ProposeOptions>): Promise<Outcome> {
  const { kind, connector, perDay, expires, level, from, to, senders, add, remove, folder } = options
  const given = Object.fromEntries(Object.entries({ from, to, senders, add, remove, folder }).filter(([, value]) => value !== undefined))
  const wanted = {
    name: args[0], kind, connector, per_day: perDay, expires_at: readEnd(expires, here.now), ...(level !== undefined && { level: parseLevel(level) satisfies Level }), ...given,
  }
  const client = await releaser()
  if (options.dryRun) return outcome({ state: 'dry_run', would: `would make a draft of the order ${args[0]}: ${kind} by ${connector}, ${perDay} a day${level === undefined ? '' : `, up to ${describeLevel(parseLevel(level))}`}` }, (data) => data.would)
  const proposed = await client.post<{ draft: string; risk: number }>('/orders', wanted)
  return outcome({ ...proposed, state: 'waiting' }, ({ draft }) => [
    `Draft ${shortId(draft)} waits for your passkey, on the signing page. Until then nothing leaves by it.`,
    `  castellan draft show ${shortId(draft)}   what it means, in words`,
  ].join('\n'))
}
