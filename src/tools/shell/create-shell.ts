import { join as joinPath } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { describeLevel, detect, type Label } from '../../labels/index.ts'
import type { FileLabelDeps } from '../files/file-label.ts'
import type { DeclaredFolder } from '../files/files.ts'
import { openFolder, openRoot, type Root } from '../files/open-inside.ts'
import { partsOf, type ProtectedPlaces } from '../files/protected-names.ts'
import { digestOfFile, permitCommand, type HiddenPlace, type Sandbox, type ShellRule } from '../../sandbox/index.ts'
import type { ToolRun } from '../tool-context.ts'
import type { Shell } from './shell.ts'
import { surveyFolder } from './survey-folder.ts'

export interface ShellDeps extends FileLabelDeps {
  readonly sandbox: Sandbox
  /** Absolute paths of castellan.yaml. */
  readonly allow: readonly string[]
  readonly rules: readonly ShellRule[]
  readonly folders: readonly DeclaredFolder[]
  readonly places: ProtectedPlaces
  readonly run: Pick<ToolRun, 'readsUpTo'>
  raise(label: Label): void
}

const outputBytes = 1024 * 1024

/** Commands in the sandbox. They read what they are shown and write nothing but their output: what they wrote to a folder would have no label. */
export function createShell(deps: ShellDeps): Shell {
  const { sandbox, allow, rules, folders, places, run, raise } = deps

  async function rootOf(name: string): Promise<Root> {
    const declared = folders.find((one) => one.name === name)
    if (!declared) throw new Fault('missing', 'shell.folder', `castellan.yaml declares no folder ${JSON.stringify(name)}; it declares: ${folders.map((one) => one.name).join(', ') || 'none'}`)
    return await openRoot(name, declared.path, places)
  }

  async function placeOf(cwd: string, roots: readonly Root[]): Promise<string> {
    const [name, ...rest] = partsOf(cwd)
    const root = roots.find((one) => one.name === name)
    if (!root) throw new Fault('invalid', 'shell.cwd', `cwd ${JSON.stringify(cwd)} is not in one of the folders of this command; name the folder in folders too`)
    const opened = await openFolder(root, rest)
    await opened.handle.close()
    return joinPath(opened.real)
  }

  return {
    async run({ argv, cwd, folders: named, timeoutMs, signal }) {
      const roots = await Promise.all([...new Set(named)].map(rootOf))
      const at = cwd === undefined ? '/tmp' : await placeOf(cwd, roots)
      const { programs, judgement } = await permitCommand(argv, { allow, rules, allowKey: 'shell.allow', cwd: at, open: roots.map((root) => root.real) })
      if (judgement.outcome === 'dry_run') {
        const { program, why } = judgement.findings[0]!
        throw new Fault('refused', 'shell.dry_run', `${program} ${why}: propose it with outbox.propose as kind shell.act, which tries it out first and shows you what would be lost before you sign`)
      }
      const [program] = programs
      const status = await sandbox.status()
      if (!status.ok) throw new Fault('refused', 'sandbox.unsafe', `no command is run: ${status.reason}`)
      const hidden: HiddenPlace[] = []
      for (const root of roots) {
        const survey = await surveyFolder(deps, root, signal)
        if (survey.label.level > run.readsUpTo) {
          throw new Fault('refused', 'shell.level', `the folder ${root.name} holds ${describeLevel(survey.label.level)} and the job reads up to ${describeLevel(run.readsUpTo)}; set reads_up_to in the job if the command should see it`)
        }
        raise(survey.label)
        hidden.push(...survey.hidden)
      }
      const result = await sandbox.run({
        argv: [program.path, ...argv.slice(1)],
        cwd: at,
        folders: [...new Set([...roots.map((root) => root.real), ...programs.map(({ path }) => path)])].map((path) => ({ path, access: 'read' as const })),
        hidden,
        limits: { outputBytes, ...(timeoutMs !== undefined && { timeoutMs }) },
        signal,
      })
      for (const { path, sha256 } of programs) {
        if ((await digestOfFile(path)) !== sha256) throw new Fault('conflict', 'shell.changed', `${path} was changed while it ran; its output is not used`)
      }
      if (result.ended === 'timeout') throw new Fault('timeout', 'shell.timeout', `${program.path} took longer than it was allowed to`)
      if (result.ended === 'output') throw new Fault('invalid', 'shell.output', `${program.path} wrote more than ${outputBytes} bytes; ask it for less`)
      if (result.ended === 'memory') throw new Fault('invalid', 'shell.memory', `${program.path} needed more memory than a command may have; give it less to do`)
      const stdout = result.stdout.toString('utf8')
      const stderr = result.stderr.toString('utf8')
      raise({ level: detect(`${stdout}\n${stderr}`), integrity: 'trusted', lanes: [] })
      return { exitCode: result.exitCode, stdout, stderr, sha256: program.sha256 }
    },
  }
}
