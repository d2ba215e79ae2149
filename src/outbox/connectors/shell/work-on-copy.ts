import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import type { ShellConnectorSettings } from '../../../house/index.ts'
import { permitCommand } from '../../../sandbox/index.ts'
import type { ExaminedCommand, ShellPayload } from '../../compose/shell-act.ts'
import { copyTree } from './copy-tree.ts'
import { filesAmong, placeIn, requireFiles } from './files-among.ts'
import { interpretersOf } from './interpreters.ts'
import { tryOut, type Trial } from './trial.ts'
import type { Workplace } from './workplace.ts'

export interface CopyDeps extends Pick<ShellConnectorSettings, 'name' | 'folders' | 'allow' | 'rules' | 'timeoutMs'> {
  readonly workplace: Workplace
}

/** A command on a copy of its folder. */
export interface Worked {
  readonly found: ExaminedCommand
  /** A folder of this command alone, with the copy in it (`after`), and at a release another as it was (`before`). */
  readonly folder: string
  /** Of a command that is not known only to look. */
  readonly trial: Trial | undefined
}

/** A trial is a part of the freeze, while which no other proposal is frozen. */
const longestTrialMs = 20_000
const longestExamineMs = 50_000
/** What lies elsewhere is a script of the house, or a program of the operator's own. */
const ofTheSystem = /^\/(?:usr\/)?(?:local\/)?s?bin\//

/** What a command is and would take away, now: on a copy that is gone afterwards. Changes nothing in the folder; what `use` does with it is its own. */
export function workOnCopy({ name, folders, allow, rules, timeoutMs, workplace }: CopyDeps) {
  return async function onCopy<T>({ folder: wanted, argv, cwd }: ShellPayload, { release }: { readonly release: boolean }, use: (worked: Worked) => Promise<T>): Promise<T> {
    const folder = folders.find((one) => one.name === wanted)
    if (!folder) throw new Fault('refused', 'shell.folder', `connector ${name} is not for the folder ${JSON.stringify(wanted)}; it is for ${folders.map((one) => one.name).join(', ')}`)
    const root = await realpath(folder.path).catch((error: unknown) => { throw new Fault('missing', 'shell.folder', `the folder ${wanted} (${folder.path}) is not there`, {}, error) })
    const place = await placeIn(root, cwd)
    const { programs: named, judgement, harmless } = await permitCommand(argv, { allow, rules, allowKey: `outbox.connectors.${name}.allow`, cwd: place, open: [root] })
    await workplace.ready()
    const programs = [...named, ...await interpretersOf(named, workplace.copyOf)]
    const inside = programs.find(({ path }) => path.startsWith(`${root}/`))
    if (inside) throw new Fault('refused', 'shell.program', `${inside.path} lies in the folder that the command works in, where whoever writes there could put another in its place; put it elsewhere`)
    const command = [named[0].path, ...argv.slice(1)]
    const hasScript = named.some(({ path }) => !ofTheSystem.test(path))
    const files = await filesAmong(argv.slice(1), root, place, named.map(({ path }) => path))
    return await workplace.withFolder(async (own) => {
      const signal = AbortSignal.timeout(longestExamineMs)
      const copy = join(own, 'after')
      if (release) await copyTree(workplace, root, own, join(own, 'before'), signal)
      await copyTree(workplace, release ? join(own, 'before') : root, own, copy, signal)
      await requireFiles(files, copy)
      const trial = harmless && !hasScript
        ? undefined
        : await tryOut(workplace, { argv: command, programs, root, copy, cwd: place, timeoutMs: Math.min(timeoutMs, longestTrialMs), signal })
      const found = {
        folder: wanted, root, cwd, argv: command, programs: programs.map(({ path, sha256 }) => ({ path, sha256 })), files,
        timeout_ms: timeoutMs, ...(trial?.found ?? { tried: null, lost: [], commits: [], tables: [] }), label: folder.label,
        concerns: judgement.findings.map(({ rule, program, why }) => ({ rule, why: `${program} ${why}` })), hasScript,
      }
      return await use({ found, folder: own, trial })
    })
  }
}
