import type { Command } from 'commander'
import type { NotRun, TodayView } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { todayLine } from './terminal/today-line.ts'
import { counted, distance, duration, labelWords, moment, shortId, snoozedLine, type Here } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'today',
    summary: 'What needs you, what ran since midnight, what did not and why',
    async run({ server, here }) {
      const today = await (await server()).get<TodayView>('/api/today')
      return outcome(today, (data, terminal) => morningPage(data, terminal, here))
    },
  })
}

function morningPage(today: TodayView, terminal: Terminal, here: Here): string {
  const at = (time: string) => moment(time, { ...here, timezone: today.timezone })
  const sections: [string, string][] = []
  if (today.security_alerts.length > 0) {
    const rows = today.security_alerts.map((alert) => [shortId(alert.id), paintState(terminal, alert.level), alert.what, `${alert.count}×`, distance(alert.last_seen, here)])
    sections.push([terminal.typed('Look at this (castellan alerts show ID)'), table(terminal, ['ID', 'LEVEL', 'WHAT', 'COUNT', 'LAST SEEN'], rows) + more(today.more_security_alerts, 'castellan alerts list')])
  }
  if (today.drafts.length > 0) {
    const rows = today.drafts.map((draft) => [
      shortId(draft.id), draft.kind, `${draft.risk}/10`, labelWords(draft.label), draft.job,
      draft.state === 'unknown' ? 'sent or not? you decide' : distance(draft.expires_at, here),
    ])
    sections.push([terminal.typed('Waits for your signature (castellan draft show ID)'), table(terminal, ['ID', 'KIND', 'RISK', 'LABEL', 'FROM JOB', 'EXPIRES'], rows) + more(today.more_drafts, 'castellan draft list')])
  }
  if (today.dead.length > 0) {
    const rows = today.dead.map((run) => [shortId(run.id), run.job, at(run.opened_at), run.error?.message || run.error?.code || ''])
    sections.push([terminal.typed('Gave up (castellan run show ID, then castellan dead redrive ID)'), table(terminal, ['ID', 'JOB', 'OPENED', 'WHY'], rows)])
  }
  if (today.problems.length > 0) {
    const lines = today.problems.map((problem) => `${problem.file}:${problem.line}:${problem.column}  ${problem.what}; ${problem.instead}`)
    sections.push([terminal.typed('Problems in the house (castellan config check)'), lines.join('\n')])
  }
  if (today.not_run.length > 0) {
    const rows = today.not_run.map((slots) => [paintState(terminal, slots.state), slots.job, slotsOf(slots, at), slots.reason])
    sections.push(['Did not run', table(terminal, ['STATE', 'JOB', 'SLOT', 'WHY'], rows)])
  }
  if (today.runs.length > 0) {
    const rows = today.runs.map((run) => [
      shortId(run.id), run.job, paintState(terminal, run.state), at(run.opened_at),
      run.closed_at === null ? '' : duration(Date.parse(run.closed_at) - Date.parse(run.opened_at)),
      run.made_without_model ? 'made without a model' : '',
    ])
    sections.push(['Runs since midnight', table(terminal, ['ID', 'JOB', 'STATE', 'OPENED', 'TOOK', ''], rows)])
  }
  if (today.next.length > 0) {
    sections.push(['Next', table(terminal, ['AT', 'JOB', ''], today.next.map((fire) => [at(fire.at), fire.job, distance(fire.at, here)]))])
  }
  const notes = [
    ...today.alerts.map((alert) => `${at(alert.at)}: ${alert.what}.`),
    ...snoozedLine(today.snoozed, { ...here, timezone: today.timezone }),
    ...(today.kept_aside > 0 ? [`Since midnight ${counted(today.kept_aside, 'message')} of P3 local only arrived; no cloud model will see ${today.kept_aside === 1 ? 'it' : 'them'}.`] : []),
    ...(today.isolation.mode === 'demonstration' ? [`Demonstration: ${today.isolation.detail}.`] : []),
  ]
  return [
    terminal.paint('bold', todayLine(today)),
    ...sections.map(([title, body]) => `${terminal.paint('bold', title)}\n${indent(body)}`),
    ...(notes.length > 0 ? [terminal.paint('yellow', notes.join('\n'))] : []),
  ].join('\n\n')
}

function more(count: number, command: string): string {
  return count === 0 ? '' : `\nand ${count} more (${command})`
}

function slotsOf({ count, first, last }: NotRun, at: (time: string) => string): string {
  return count === 1 ? at(first) : `${count} slots, ${at(first)} to ${at(last)}`
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
