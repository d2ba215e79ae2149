import { join, resolve } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { openAccepted, openSecretFolder, scanAll, wantedIn, withoutCoreDumps, type Leak, type Scanned, type ScanTarget } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { folderOf } from '../config.ts'
import { table } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { bytes, counted } from '../terminal/wording.ts'
import { readDrafts } from './read-drafts.ts'

export interface ScanOptions {
  readonly history?: boolean
  readonly accept?: string[]
}

const logFiles = /\.(?:log|jsonl)(?:\.\d+)?$/

/** Looks for secrets where none should stand: logs, the house with its history, drafts; or in what is named. Says where, never what. */
export async function scan(invocation: Invocation<ScanOptions>): Promise<Outcome> {
  withoutCoreDumps()
  const { home, options, here, say } = invocation
  const paths = ((invocation.args[0] ?? []) as readonly string[]).map((path) => resolve(path))
  const house = resolve(await folderOf({ home, asked: undefined }))
  const folder = openSecretFolder(home)
  const accepted = openAccepted(house, folder)
  const drafts = paths.length > 0 ? { texts: [], unread: [] } : await readDrafts(invocation)
  const targets = paths.length > 0 ? paths.map((path): ScanTarget => ({ where: 'path', path, without: [folder.path] })) : ownTargets(home, house, folder.path)
  const scanned = await scanAll({ wanted: wantedIn(folder), accepted, history: options.history !== false }, targets, drafts.texts)
  const found: Scanned = { ...scanned, unread: [...scanned.unread, ...drafts.unread] }
  if (options.accept) return accept(found, options.accept, { accepted, on: here.now, dryRun: options.dryRun === true })
  for (const path of found.unread.slice(0, 5)) say(`not looked at: ${path}`)
  return outcome({ state: found.leaks.length > 0 ? 'found' : 'clean', ...found }, foundText, failureOf(found))
}

function ownTargets(home: string, house: string, secrets: string): ScanTarget[] {
  return [
    { where: 'house', path: house },
    // what the processes log, and the steps of jobs; the rest of the home is theirs, keys among it
    { where: 'logs', path: home, only: logFiles, without: [house, secrets, join(home, 'database'), join(home, 'cache')] },
  ]
}

/** What nobody could look at is told as well: a scan that saw half is no clean one. */
function failureOf({ leaks, unread }: Scanned): Outcome['failure'] {
  if (leaks.length > 0) return { exit: exitCodes.failure, code: 'secrets.found', message: `${counted(leaks.length, 'finding')}; replace what is real (castellan secrets rotate NAME), accept what is not (castellan secrets scan --accept ID)` }
  return unread.length > 0 ? { exit: exitCodes.partial, code: 'secrets.unread', message: `${counted(unread.length, 'place')} could not be looked at, e.g. ${unread[0]}; run this as the user who starts Castellan` } : undefined
}

/** @throws Fault `secrets.finding_missing`, `secrets.finding_known` */
function accept(found: Scanned, ids: readonly string[], { accepted, on, dryRun }: { accepted: ReturnType<typeof openAccepted>; on: Date; dryRun: boolean }): Outcome {
  const chosen = ids.flatMap((id) => {
    const meant = found.leaks.filter((leak) => leak.id?.startsWith(id.toLowerCase()))
    if (meant.length === 0 || id.length < 6) throw new Fault('missing', 'secrets.finding_missing', `there is no finding ${id}; \`castellan secrets scan\` shows their ids. A secret of this house cannot be accepted: give it a new value`)
    return meant
  })
  if (!dryRun) accepted.add(distinct(chosen), on)
  return outcome({ state: dryRun ? 'dry_run' : 'accepted', ids: chosen.map(({ id }) => id) }, (data) => `${dryRun ? 'Would accept' : 'Accepted'} ${counted(new Set(data.ids).size, 'finding')}; they stand in accepted-findings.json of the house.`)
}

function distinct(leaks: readonly Leak[]): { id: string; file: string; kind: string }[] {
  return [...new Map(leaks.map(({ id, file, kind }) => [id!, { id: id!, file, kind }])).values()]
}

function foundText({ leaks, accepted, files, bytes: size, binaries, unread }: Scanned & { state: string }, terminal: Terminal): string {
  const summary = [`${counted(files, 'text')} looked at (${bytes(size)})`, `${counted(leaks.length, 'finding')}`, ...(accepted > 0 ? [`${accepted} accepted`] : []), ...(binaries > 0 ? [`${counted(binaries, 'file')} left out, which hold no text`] : []), ...(unread.length > 0 ? [`${unread.length} not looked at`] : [])].join(', ')
  if (leaks.length === 0) return `${summary}.`
  const rows = leaks.map(({ file, line, kind, begins, where, object, commit, id }) => [`${file}:${line}`, kind, begins ?? '', where === 'history' ? `history, ${commit ?? object!.slice(0, 10)}` : where, id?.slice(0, 12) ?? 'rotate it'])
  return `${table(terminal, ['WHERE', 'WHAT', 'BEGINS', 'IN', 'ID'], rows)}\n\n${summary}.`
}
