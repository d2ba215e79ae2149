import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Fault, toFault } from '../../../kernel/fault.ts'
import { faultPoint } from '../../../kernel/fault-point.ts'
import { sha256 } from '../../document.ts'
import type { ShellConnectorSettings } from '../../../house/index.ts'
import type { Sandbox, SandboxResult } from '../../../sandbox/index.ts'
import { readOutboundAct } from '../../acts/outbound-act.ts'
import type { ShellAct } from '../../acts/shell-act.ts'
import { actOf } from '../../compose/outbound.ts'
import { composeShell, type ExaminedCommand } from '../../compose/shell-act.ts'
import { checkBytes } from '../check-bytes.ts'
import type { Connector, Receipt } from '../connector.ts'
import { carryOver, packChanges } from './carry-over.ts'
import { requireUntouched } from './changes.ts'
import { createReceipts } from './receipts.ts'
import { surveyTree } from './survey-tree.ts'
import type { Trial } from './trial.ts'
import { workOnCopy, type Worked } from './work-on-copy.ts'
import { createWorkplace } from './workplace.ts'

export interface ShellOptions extends Pick<ShellConnectorSettings, 'name' | 'folders' | 'allow' | 'rules' | 'timeoutMs'> {
  /** Of this connector, in the releaser's own. */
  readonly folder: string
  readonly sandbox?: (() => Promise<Sandbox>) | undefined
}

/** Runs one command: exactly these arguments, by exactly these programs, as long as it would take away what was shown. */
export function createShellConnector({ name, folders, allow, rules, timeoutMs, folder: own, sandbox }: ShellOptions): Connector {
  const account = `commands in ${folders.map((folder) => `${folder.name} (${folder.path})`).join(', ')}, by ${allow.join(', ')}, ${timeoutMs / 1000} s`
  const workplace = createWorkplace(own, sandbox)
  const receipts = createReceipts(join(own, 'receipts'))

  const onCopy = workOnCopy({ name, folders, allow, rules, timeoutMs, workplace })

  /** Is all of it as it was when it was frozen? @throws Fault `shell.changed` */
  function requireUnchanged(act: ShellAct, { label: _, concerns: __, hasScript: ___, ...now }: ExaminedCommand): void {
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
        return await composeShell(payload, frame, (command) => onCopy(command, { release: false }, async ({ found }) => found))
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
        // of a releaser that was killed before the signature was spent: it had changed nothing
        await workplace.letGo(nameOf(wire))
        return await onCopy({ folder: act.folder, argv: [...act.argv], cwd: act.cwd }, { release: true }, async (worked) => {
          requireUnchanged(act, worked.found)
          checkBytes(wire, document)
          faultPoint('shell.checked')
          const begin = async () => {
            signal.throwIfAborted()
            await commit()
            begun = true
            faultPoint('shell.run:before')
          }
          const receipt = worked.trial === undefined ? await look(act, worked, signal, begin) : await settle(act, worked.trial, worked.folder, nameOf(wire), begin)
          await receipts.write(wire, receipt)
          faultPoint('shell.run:after')
          await workplace.letGo(nameOf(wire))
          return receipt
        })
      } catch (error) {
        const fault = toFault(error)
        if (begun || /^(?:connector|nonce|releaser)\./.test(fault.code)) throw fault
        throw new Fault(fault.kind === 'internal' ? 'unavailable' : fault.kind, 'connector.not_sent', `nothing was run: ${fault.message}`, {}, error)
      }
    },
    async reconcile(wire) {
      const act = readOutboundAct(wire)
      if (act?.kind !== 'shell.act' || act.account !== account) return undefined
      const receipt = await receipts.find(wire)
      if (receipt) await workplace.letGo(nameOf(wire))
      return receipt
    },
    async remains(wire) {
      const place = await workplace.kept(nameOf(wire))
      return place && remainsIn(place)
    },
  }

  /** It only looks, at the copy with the files that were signed; should the policy have taken it for milder than it is, it still takes nothing away. */
  async function look({ argv, programs, root, cwd, timeout_ms: milliseconds, folder }: ShellAct, { folder: own }: Worked, signal: AbortSignal, begin: () => Promise<void>): Promise<Receipt> {
    await begin()
    return { folder, ...receiptOf(await workplace.run({ argv, programs, root, from: join(own, 'after'), access: 'read', cwd: join(root, cwd), timeoutMs: milliseconds, signal })) }
  }

  /** It ran, and took away what was signed: of a copy. The folder becomes the same; should that be broken off, what it was and was to be stays to be looked at. */
  async function settle({ root, folder, lost }: ShellAct, { result, before, changes }: Trial, own: string, wireName: string, begin: () => Promise<void>): Promise<Receipt> {
    await packChanges(workplace, changes, own)
    requireUntouched(changes, before, await surveyTree(root, { read: true }))
    const place = await workplace.keep(own, wireName)
    try {
      await begin()
    } catch (error) {
      await workplace.letGo(wireName)
      throw error
    }
    const stays = await carryOver(workplace, changes, root, place).catch((error: unknown) => {
      throw new Fault('conflict', 'connector.unknown', `what the command made was not carried over as a whole: ${toFault(error).message}; ${remainsIn(place)}`, { brief: 'a part of what the command made could not be carried over' }, error)
    })
    return { folder, ...receiptOf(result), lost: lost.length, put: changes.put.length, folders_stay: stays }
  }
}

const what: Readonly<Record<string, string>> = {
  root: 'the folder is', programs: 'a program of it is', files: 'a file among its arguments is', lost: 'what it would take away is', commits: 'the commits that it would lose are', tables: 'the rows that it would lose are',
  tried: 'how it ends when it is tried out is', timeout_ms: 'its time is',
}

function receiptOf({ exitCode, ended, stdout, stderr }: SandboxResult): Receipt {
  return { exit: exitCode, ended, stdout_bytes: stdout.length, stdout_sha256: digest(stdout), stderr_bytes: stderr.length, stderr_sha256: digest(stderr) }
}

function remainsIn(place: string): string {
  return `the folder as it was is in ${join(place, 'before')}, and what the command made of it in ${join(place, 'after')}: compare them with the folder, take out of them what you need, and delete ${place}`
}

/** What belongs to one draft is called by the digest of its bytes. */
function nameOf(wire: Uint8Array): string {
  return sha256(wire)
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
