import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Fault, toFault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import type { ShellConnectorSettings } from '../../../house/index.ts'
import { permitCommand, type Sandbox, type SandboxResult } from '../../../sandbox/index.ts'
import { readOutboundAct } from '../../acts/outbound-act.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import { actOf } from '../../compose/outbound.ts'
import { composeShell, type ExaminedCommand, type ShellPayload } from '../../compose/shell-act.ts'
import { checkBytes } from '../check-bytes.ts'
import type { Connector, Receipt } from '../connector.ts'
import { filesAmong, placeIn } from './files-among.ts'
import { createReceipts } from './receipts.ts'
import { tryOut } from './trial.ts'
import { runWatched } from './watched-run.ts'
import { createWorkplace, type WorkCommand } from './workplace.ts'

export interface ShellOptions extends Pick<ShellConnectorSettings, 'name' | 'folders' | 'allow' | 'rules' | 'timeoutMs'> {
  /** Of this connector, in the releaser's own. */
  readonly folder: string
  readonly sandbox?: (() => Promise<Sandbox>) | undefined
}

/** A trial is a part of the freeze, while which no other proposal is frozen. */
const longestTrialMs = 20_000
const longestExamineMs = 50_000
/** What lies elsewhere is a script of the house, or a program of the operator's own. */
const ofTheSystem = /^\/(?:usr\/)?(?:local\/)?s?bin\//

/** Runs one command: exactly these arguments, by exactly these programs, as long as it would take away what was shown. */
export function createShellConnector({ name, folders, allow, rules, timeoutMs, folder: own, sandbox }: ShellOptions): Connector {
  const account = `commands in ${folders.map((folder) => `${folder.name} (${folder.path})`).join(', ')}, by ${allow.join(', ')}, ${timeoutMs / 1000} s`
  const workplace = createWorkplace(own, sandbox)
  const receipts = createReceipts(join(own, 'receipts'))

  /** What the command is and would take away, now. Changes nothing. */
  async function examine({ folder: wanted, argv, cwd }: ShellPayload): Promise<ExaminedCommand> {
    const folder = folders.find((one) => one.name === wanted)
    if (!folder) throw new Fault('refused', 'shell.folder', `connector ${name} is not for the folder ${JSON.stringify(wanted)}; it is for ${folders.map((one) => one.name).join(', ')}`)
    const root = await realpath(folder.path).catch((error: unknown) => { throw new Fault('missing', 'shell.folder', `the folder ${wanted} (${folder.path}) is not there`, {}, error) })
    const place = await placeIn(root, cwd)
    const { programs, judgement, harmless } = await permitCommand(argv, { allow, rules, allowKey: `outbox.connectors.${name}.allow`, cwd: place, open: [root] })
    await workplace.ready()
    const command = [programs[0].path, ...argv.slice(1)]
    const hasScript = programs.some(({ path }) => !ofTheSystem.test(path))
    const trial = harmless && !hasScript
      ? { tried: null, lost: [], commits: [], tables: [] }
      : await tryOut(workplace, { argv: command, programs, root, cwd: place, timeoutMs: Math.min(timeoutMs, longestTrialMs), signal: AbortSignal.timeout(longestExamineMs) })
    return {
      folder: wanted, root, cwd, argv: command, programs: programs.map(({ path, sha256 }) => ({ path, sha256 })), files: await filesAmong(argv.slice(1), root, place, programs.map(({ path }) => path)),
      timeout_ms: timeoutMs, ...trial, label: folder.label, concerns: judgement.findings.map(({ rule, program, why }) => ({ rule, why: `${program} ${why}` })), hasScript,
    }
  }

  /** Is all of it as it was when it was frozen? @throws Fault `shell.changed` */
  async function checkUnchanged(act: ShellAct): Promise<void> {
    const { label: _, concerns: __, hasScript: ___, ...now } = await examine({ folder: act.folder, argv: [...act.argv], cwd: act.cwd })
    for (const [key, value] of Object.entries(now)) {
      if (JSON.stringify(sorted(act[key as keyof typeof now])) === JSON.stringify(sorted(value))) continue
      throw new Fault('conflict', 'shell.changed', `${what[key] ?? key} not as when this was frozen; propose it again`)
    }
  }

  return {
    name,
    kind: 'shell',
    account,
    zone: 'machine',
    from: account,
    accepts: (kind) => kind === 'shell.act',
    async compose(_kind, payload, frame) {
      try {
        return await composeShell(payload, frame, examine)
      } catch (error) {
        const fault = toFault(error)
        // what cannot be looked at must not keep other proposals from being frozen
        throw fault.kind === 'unavailable' || fault.kind === 'timeout' || fault.kind === 'internal' ? new Fault('refused', 'shell.failed', `the command could not be looked at: ${fault.message}`, {}, error) : fault
      }
    },
    async deliver(wire, document, signal, commit) {
      let begun = false
      try {
        signal.throwIfAborted()
        const act = actOf(wire, ['shell.act'], account)
        await checkUnchanged(act)
        await workplace.ready(act.programs)
        checkBytes(wire, document)
        signal.throwIfAborted()
        const receipt = await run(act, signal, async () => {
          await commit()
          begun = true
          faultPoint('shell.run:before')
        })
        await receipts.write(wire, receipt)
        faultPoint('shell.run:after')
        return receipt
      } catch (error) {
        const fault = toFault(error)
        if (begun || /^(?:connector|nonce|releaser)\./.test(fault.code)) throw fault
        throw new Fault(fault.kind === 'internal' ? 'unavailable' : fault.kind, 'connector.not_sent', `nothing was run: ${fault.message}`, {}, error)
      }
    },
    async reconcile(wire) {
      const act = readOutboundAct(wire)
      return act?.kind === 'shell.act' && act.account === account ? await receipts.find(wire) : undefined
    },
  }

  async function run({ argv, programs, root, cwd, timeout_ms: milliseconds, folder, tried, lost }: ShellAct, signal: AbortSignal, begin: () => Promise<void>): Promise<Receipt> {
    const command: WorkCommand = { argv, programs, root, access: 'write', cwd: join(root, cwd), timeoutMs: milliseconds, signal }
    if (tried === null) {
      await begin()
      // it only looks; should the policy have taken it for milder than it is, it still takes nothing away
      return { folder, ...receiptOf(await workplace.run({ ...command, access: 'read' })) }
    }
    const { result, unexpected, putBack } = await runWatched(workplace, command, lost, { git: programs.some(({ path }) => basename(path) === 'git'), begin })
    return { folder, ...receiptOf(result), lost: lost.length, unexpected, put_back: putBack }
  }
}

const what: Readonly<Record<string, string>> = {
  root: 'the folder is', programs: 'a program of it is', files: 'a file among its arguments is', lost: 'what it would take away is', commits: 'the commits that it would lose are', tables: 'the rows that it would lose are',
  tried: 'how it ends when it is tried out is', timeout_ms: 'its time is',
}

function receiptOf({ exitCode, ended, stdout, stderr }: SandboxResult): Receipt {
  return { exit: exitCode, ended, stdout_bytes: stdout.length, stdout_sha256: digest(stdout), stderr_bytes: stderr.length, stderr_sha256: digest(stderr) }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** With the keys of every object in their order, as canonical JSON has them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]))
}
