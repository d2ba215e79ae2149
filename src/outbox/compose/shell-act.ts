import { basename } from 'node:path'
import { z } from 'zod'
import { cutText } from '../acts/cut-text.ts'
import type { ShellAct } from '../acts/shell-act.ts'
import { delicateAmong } from '../delicate-paths.ts'
import { join, type Label } from '../../labels/index.ts'
import type { Composed, Finding, Frame } from './composed.ts'
import { composeOutbound, readPayload } from './outbound.ts'
import { refuseControls } from './text.ts'

const many = { entries: 1_000, bytes: 100 * 1024 * 1024 }
const payloadSchema = z.strictObject({ folder: z.string().max(63), argv: z.array(z.string().max(4_000)).min(1).max(200), cwd: z.string().max(1_000).default('') })

export type ShellPayload = z.output<typeof payloadSchema>

/** What the command is, as it was found: everything that is frozen but its words. */
export interface ExaminedCommand extends Pick<ShellAct, 'folder' | 'root' | 'cwd' | 'argv' | 'programs' | 'files' | 'timeout_ms' | 'tried' | 'lost' | 'commits' | 'tables'> {
  readonly label: Label
  /** What the policy said of it: a rule, and why. */
  readonly concerns: readonly { readonly rule: string; readonly why: string }[]
  readonly hasScript: boolean
}

const always: Readonly<Record<string, string>> = { rights: 'it changes who may read, write or run something', exposes: 'it opens something of this machine to others' }

/** One command of the operator's. @throws Fault `draft.payload`, `mail.control`, `shell.*` */
export async function composeShell(payload: unknown, frame: Frame, examine: (payload: ShellPayload) => Promise<ExaminedCommand>): Promise<Composed> {
  const read = readPayload(payloadSchema, payload, 'command')
  read.argv.forEach((argument, index) => refuseControls(`argument ${index}`, argument))
  const { label, concerns, hasScript, ...act } = await examine(read)
  const bytes = act.lost.reduce((sum, { size }) => sum + size, 0)
  const rules = new Set(concerns.map(({ rule }) => rule))
  const findings: Finding[] = [
    ...Object.entries(always).flatMap(([rule, why]) => (rules.has(rule) ? [{ atLeast: 8, why }] : [])),
    ...(act.lost.some(({ becomes }) => becomes?.includes('mode ')) ? [{ atLeast: 8, why: 'it changes who may do what with files that are there' }] : []),
    ...(act.lost.length > 0 ? [{ atLeast: 7, why: `${act.lost.length} of what is there would be gone or changed` }] : []),
    ...(act.lost.length > many.entries ? [{ atLeast: 8, why: `that is more than ${many.entries} files and folders` }] : []),
    ...(bytes > many.bytes ? [{ atLeast: 8, why: `that is ${Math.round(bytes / 1024 / 1024)} MB, more than 100` }] : []),
    ...(act.commits.length > 0 ? [{ atLeast: 8, why: `${act.commits.length} commit${act.commits.length === 1 ? ' is' : 's are'} lost` }] : []),
    ...(act.tables.length > 0 ? [{ atLeast: 8, why: `rows or tables are lost, e.g. of ${act.tables[0]!.table}` }] : []),
    ...delicateAmong([...act.lost.map(({ path }) => path), ...act.files.map(({ path }) => path)]).map((why) => ({ atLeast: 8, why })),
    ...(hasScript ? [{ add: 1, why: 'a script of the house decides what is done' }] : []),
    ...concerns.filter(({ rule }) => rule === 'house').map(({ why }) => ({ add: 1, why })),
  ]
  const undo = act.lost.length + act.commits.length + act.tables.length === 0
    ? 'Afterwards: what it made or started there, you take back by hand.'
    : act.commits.length > 0 ? 'Afterwards nothing brings the files back; git keeps the commits for some weeks, by the numbers in the text.' : 'Afterwards nothing brings back what it took away; the text names all of it.'
  const composed = composeOutbound({ kind: 'shell.act', ...act }, frame, {
    title: cutText(`Run ${[basename(act.argv[0]!), ...act.argv.slice(1)].join(' ')} in ${act.folder}${act.cwd === '' ? '' : `/${act.cwd}`}`, 300), to: [], undo, findings,
  })
  return { ...composed, label: join(label) }
}
