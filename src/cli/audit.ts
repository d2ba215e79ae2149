import type { Command } from 'commander'
import { addCommand, type Cli } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import type { SocketClient } from './connection/socket-client.ts'
import { resolveDraftId } from './draft/releaser-draft.ts'
import { table } from './terminal/table.ts'
import { counted, distance, moment } from './terminal/wording.ts'

interface Verification {
  ok: boolean
  sealed: number
  batches: number
  unsealed: { count: number; oldest: string | null }
  problem?: { batch: number; what: string }
}

interface AuditEvent {
  at: string
  actor: string
  kind: string
  subject: string
  detail: Record<string, unknown>
}

export function register(program: Command, cli: Cli): void {
  const audit = program.command('audit').description('The record of what happened, chained and sealed by the releaser')

  addCommand(audit, cli, {
    usage: 'verify',
    summary: 'Recompute the whole chain; exit 1 when anything in it was changed',
    async run({ releaser, here }) {
      const { ok, ...found } = await (await releaser()).get<Verification>('/audit/verify', {}, { patience: 600 })
      const what = found.problem === undefined ? '' : `batch ${found.problem.batch}: ${found.problem.what}`
      return outcome({ state: ok ? 'whole' : 'broken', ...found }, (data) => [
        `${data.state === 'whole' ? 'Whole' : 'Whole up to there'}: ${counted(data.sealed, 'event')} in ${counted(data.batches, 'sealed batch', 'sealed batches')}.`,
        `${counted(data.unsealed.count, 'event')} not sealed yet${data.unsealed.oldest === null ? '' : `, the oldest ${distance(data.unsealed.oldest, here)}`}.`,
      ].join('\n'), ok ? undefined : { exit: exitCodes.failure, code: 'audit.broken', message: what })
    },
  })

  addCommand<{ limit: number }>(audit, cli, {
    usage: 'show [subject]',
    summary: 'Events, of one job, run, draft or key, or the latest of all',
    configure: (command) => void command.option('-n, --limit <number>', 'how many', wholeNumber, 50),
    async run({ releaser, server, args, options, here }) {
      const subject = args[0] === undefined ? undefined : await wholeSubject(args[0], await releaser(), await server())
      const events = await (await releaser()).get<AuditEvent[]>('/audit/events', { subject, limit: options.limit })
      return outcome(events, (data, terminal) => data.length === 0
        ? `Nothing is recorded${args[0] === undefined ? '' : ` of ${args[0]}`}.`
        : table(terminal, ['AT', 'WHO', 'WHAT', 'OF', 'DETAIL'], data.map((event) => [
            moment(event.at, here), event.actor.replace(/^castellan_/, ''), event.kind, event.subject, detailText(event.detail),
          ])))
    },
  })
}

/** Subjects are whole ids; a piece of one is looked up among the drafts and the runs. */
async function wholeSubject(text: string, releaser: SocketClient, server: SocketClient): Promise<string> {
  if (!/^[0-9a-f-]{4,35}$/i.test(text)) return text
  const draft = await resolveDraftId(releaser, text).catch(() => undefined)
  return draft ?? (await server.get<{ id: string }>(`/api/runs/${text}`).then(({ id }) => id, () => text))
}

const longestDetail = 160

function detailText(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${shorten(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(', ')
    .replaceAll(/\b([0-9a-f]{12})[0-9a-f]{28,}\b/g, '$1…')
}

/** What one verifies by machine, e.g. what a passkey signed, stands whole in --json. */
function shorten(text: string): string {
  return text.length > longestDetail ? `${text.slice(0, longestDetail)}…` : text
}
