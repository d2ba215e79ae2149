import type { Command } from 'commander'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { pairs } from './terminal/table.ts'
import { paintState } from './terminal/terminal.ts'
import { counted, distance, moment, shortId } from './terminal/wording.ts'

interface OutboxState {
  readonly state: 'open' | 'fenced'
  readonly fence: { readonly id: string; readonly at: string; readonly why: string; readonly waiting: readonly string[] } | null
  readonly resume: string | null
  readonly held: number
  readonly next: string | null
  readonly unknown: number
  readonly spent: number
}

export function register(program: Command, cli: Cli): void {
  const outbox = program.command('outbox').description('The outbox as a whole: whether what you signed leaves')

  addCommand(outbox, cli, {
    usage: 'status',
    summary: 'Whether signed drafts leave, how many are held and when the next goes',
    async run({ here, releaser }) {
      const found = await (await releaser()).get<OutboxState>('/outbox')
      return outcome(found, ({ state, fence, resume, held, next, unknown }, terminal) => pairs(terminal, [
        ['state', fence === null ? paintState(terminal, state) : terminal.paint('red', `fenced since ${moment(fence.at, here)}: nothing leaves`)],
        ...(fence === null ? [] : [
          ['why', fence.why],
          ...(fence.waiting.length > 0 ? [['counts not', fence.waiting.join(', ')]] : []),
          ['to go on', terminal.typed(resume === null ? 'castellan outbox resume' : `castellan draft approve ${shortId(resume)}`)],
        ] as [string, string][]),
        ['signed', `${counted(held, 'draft')} ${held === 1 ? 'is' : 'are'} held${next === null ? '' : `, the next ${fence === null ? 'leaves' : 'was to leave'} ${distance(next, here)}`}`],
        ...(unknown > 0 ? [['unknown', `of ${counted(unknown, 'draft')} nobody knows whether it left: castellan draft list --state unknown`] as [string, string]] : []),
      ]))
    },
  })

  addCommand(outbox, cli, {
    usage: 'resume',
    summary: 'After an older database came back: make the draft by which signed drafts leave again and clearances, keys and orders count again; nothing does before you have signed it',
    changes: true,
    async run({ options, releaser }) {
      const client = await releaser()
      if (options.dryRun) return outcome({ state: 'dry_run', would: 'would make a draft that says what leaves and what counts again when the outbox goes on' }, (data) => data.would)
      return outcome({ ...(await client.post<{ draft: string; risk: number }>('/outbox/resume')), state: 'waiting' }, ({ draft }) => [
        `Draft ${shortId(draft)} waits for your signature. Until then nothing leaves.`,
        `  castellan draft show ${shortId(draft)}      what will leave, and what counts again`,
        `  castellan draft approve ${shortId(draft)}   or on the signing page`,
      ].join('\n'))
    },
  })
}
