import { Option, type Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { wholeNumber } from './command/parse-option.ts'
import type { ApproveOptions } from './draft/approve-draft.ts'
import type { EditOptions } from './draft/edit-draft.ts'
import { findDraft, openStates, type DraftLine } from './draft/releaser-draft.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { distance, moment, shortId, snoozedLine, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const draft = program.command('draft').description('What waits to leave the house, and your decision on it')

  addCommand<{ state?: string; all?: boolean; snoozed?: boolean; limit: number }>(draft, cli, {
    usage: 'list',
    summary: 'Drafts that wait for you or are on their way',
    configure: (command) => void command
      .option('--state <states>', 'states, separated by commas')
      .option('--all', 'closed and snoozed ones too')
      .option('--snoozed', 'snoozed ones too')
      .option('-n, --limit <number>', 'how many', wholeNumber, 50),
    async run({ releaser, options, here }) {
      const state = options.state ?? (options.all ? undefined : openStates.join(','))
      const drafts = await (await releaser()).get<DraftLine[]>('/drafts', { state, limit: options.limit, snoozed: 'true' })
      const asleep = drafts.filter(({ snoozed_until }) => snoozed_until)
      const awake = drafts.filter(({ snoozed_until }) => !snoozed_until)
      if (options.all || options.snoozed) return outcome(drafts, (data, terminal) => draftTable(data, terminal, here))
      return outcome(awake, (data, terminal) => [draftTable(data, terminal, here), ...snoozedLine(asleep.map((one) => one.snoozed_until!), here)].join('\n'))
    },
  })

  addCommand(draft, cli, {
    usage: 'show <draft>',
    summary: 'All that a signature would cover, computed anew from the bytes',
    async run({ releaser, args, here }) {
      const { describeDraft, draftText } = await import('./draft/draft-text.ts')
      const { verifyDraft } = await import('./draft/verify-draft.ts')
      const shown = await findDraft(await releaser(), args[0]!)
      return outcome(describeDraft(shown, await verifyDraft(shown)), (data, terminal) => draftText(data, terminal, here))
    },
  })

  addCommand<ApproveOptions>(draft, cli, {
    usage: 'approve <draft...>',
    summary: 'Sign exactly these bytes; they leave after a hold. Of several each by itself, high risk left out',
    changes: true,
    configure: (command) => void command
      .option('--at <moment>', 'when it leaves: 2026-12-01T09:00 by the clock of the house, 16:00, 2h, or now')
      .option('--every <time>', 'of several one every so often, in real time: 2h; the first right away, or with --from')
      .option('--from <moment>', 'with --every: when the first leaves')
      .option('--wait', 'wait until it was released; exit 1 unless it was')
      .option('--key <name>', 'the key that signs, where you have more than one')
      .option('--passphrase-fd <number>', 'read the passphrase from this file descriptor', wholeNumber),
    run: async (invocation) => (await import('./draft/approve-drafts.ts')).approveDrafts(invocation),
  })

  addCommand<{ reason?: string }>(draft, cli, {
    usage: 'deny <draft>',
    summary: 'Keep it in; a waiting run goes on and is told',
    changes: true,
    configure: (command) => void command.option('--reason <text>', 'why; the run that proposed it is told'),
    run: deny,
  })

  addCommand<EditOptions>(draft, cli, {
    usage: 'edit <draft>',
    summary: 'Change recipients, subject and text in $EDITOR or by options; a new draft waits in its place',
    changes: true,
    configure: (command) => void command
      .option('--text <file>', 'the new text; - reads it from stdin')
      .option('--subject <text>', 'the new subject')
      .option('--to <addresses...>', 'the new recipients')
      .option('--cc <addresses...>', 'the new copies; "" for none')
      .option('--bcc <addresses...>', 'the new hidden copies; "" for none'),
    run: async (invocation) => (await import('./draft/edit-draft.ts')).editDraft(invocation),
  })

  addCommand<{ until: string }>(draft, cli, {
    usage: 'snooze <draft>',
    summary: 'Take it out of the list until then; it expires as before',
    changes: true,
    configure: (command) => void command.requiredOption('--until <moment>', '16:00, 2h, or none to call it back'),
    run: async (invocation) => (await import('./draft/snooze-draft.ts')).snoozeDraft(invocation),
  })

  addCommand(draft, cli, {
    usage: 'undo <draft>',
    summary: 'Take an approval back while it is held; it waits again',
    changes: true,
    async run({ releaser, args, options }) {
      const client = await releaser()
      const { id, state } = await findDraft(client, args[0]!)
      if (options.dryRun) return wouldDo(id, `would take back draft ${shortId(id)}, which is ${state}`)
      const done = await client.post<{ outcome: 'undone'; draft: string } | { outcome: 'taken_back'; receipt: Record<string, unknown> }>(`/drafts/${id}/undo`)
      if (done.outcome === 'taken_back') return outcome({ id, state: 'taken back', receipt: done.receipt }, (data) => `What draft ${shortId(data.id)} did was undone: ${JSON.stringify(data.receipt)}`)
      return outcome({ id, state: 'undone', successor: done.draft }, (data) => `Draft ${shortId(data.id)} was taken back. It waits again as ${shortId(data.successor)}.`)
    },
  })

  addCommand<{ outcome: 'released' | 'failed'; reason: string }>(draft, cli, {
    usage: 'resolve <draft>',
    summary: 'Say how a release ended of which Castellan does not know; sends nothing',
    changes: true,
    configure: (command) => void command
      .addOption(new Option('--outcome <outcome>', 'what you found').choices(['released', 'failed']).makeOptionMandatory())
      .requiredOption('--reason <text>', 'how you know'),
    async run({ releaser, args, options }) {
      const client = await releaser()
      const { id, state } = await findDraft(client, args[0]!)
      if (options.dryRun) return wouldDo(id, `would record draft ${shortId(id)}, which is ${state}, as ${options.outcome}`)
      await client.post(`/drafts/${id}/resolve`, { outcome: options.outcome, reason: options.reason })
      return outcome({ id, state: options.outcome }, (data) => `Draft ${shortId(data.id)} is recorded as ${data.state}.`)
    },
  })
}

/** Needs no signature and no question: it can only keep something in. */
async function deny({ releaser, args, options }: Invocation<{ reason?: string }>): Promise<Outcome> {
  const client = await releaser()
  const { id, state } = await findDraft(client, args[0]!)
  if (options.dryRun) return wouldDo(id, `would deny draft ${shortId(id)}, which is ${state}`)
  if (state !== 'waiting') throw new Fault('conflict', 'draft.too_late', `draft ${shortId(id)} is ${state} already${state === 'held' ? `; castellan draft undo ${shortId(id)} takes it back` : ''}`)
  await client.post(`/drafts/${id}/decide`, { verdict: 'deny', ...(options.reason !== undefined && { reason: options.reason }) })
  return outcome({ id, state: 'denied' }, (data) => `Draft ${shortId(data.id)} is denied.`)
}

function wouldDo(id: string, would: string): Outcome {
  return outcome({ id, state: 'dry_run', would }, (data) => data.would)
}

function draftTable(drafts: DraftLine[], terminal: Terminal, here: Here): string {
  if (drafts.length === 0) return 'Nothing waits for your signature.'
  return table(terminal, ['ID', 'STATE', 'RISK', 'KIND', 'TO', 'SUBJECT', 'LABEL', 'EXPIRES'], drafts.map((draft) => {
    const { to, cc, bcc } = draft.recipients
    const [first = '', ...others] = [...to, ...cc, ...bcc]
    return [
      shortId(draft.id), paintState(terminal, draft.state), terminal.paint(draft.high_risk ? 'red' : 'none', `${draft.risk}/10`), draft.kind,
      others.length === 0 ? first : `${first} and ${others.length} more`,
      draft.problem === null ? (draft.title ?? '') : terminal.paint('red', draft.problem),
      draft.label.word, draft.state === 'waiting' ? distance(draft.expires_at, here) + (draft.snoozed_until ? `, snoozed until ${moment(draft.snoozed_until, here)}` : '') : '',
    ]
  }))
}
