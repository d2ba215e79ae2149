import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../kernel/database/connect.ts'
import type { Logger } from '../kernel/log.ts'
import { labelOfFile, labelOfMail, type House } from '../house/index.ts'
import { join, type Label } from '../labels/index.ts'
import type { Fallback } from './effect.ts'
import { createFiles } from './files/create-files.ts'
import type { ProtectedPlaces } from './files/protected-names.ts'
import { createLedger } from './ledger/create-ledger.ts'
import { createMailbox } from './mail/create-mailbox.ts'
import { createMailParser } from './mail/parse-mail.ts'
import { connectGate, createModels, type Gates } from './model/create-models.ts'
import { createProposals } from './outbox/create-proposals.ts'
import { createSandbox } from '../sandbox/index.ts'
import type { SandboxStatus } from '../sandbox/index.ts'
import { createShell } from './shell/create-shell.ts'
import { createSources } from './source/create-sources.ts'
import type { ToolContext, ToolLog, ToolRun } from './tool-context.ts'
import { createEvents } from './webhook/events.ts'

export interface ToolboxDeps {
  /** With the worker's own role. */
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  /** As it is now: the operator may change it while a worker works. */
  house(): Pick<House, 'folder' | 'settings' | 'labelRules'>
  /** $CASTELLAN_HOME. */
  readonly home: string
  /** The process's own folder; the canary of the sandbox works there. */
  readonly folder: string
  /** The Unix sockets of the gates that this worker may enter. */
  readonly gates: { readonly local: string; readonly cloud?: string }
  /** The Unix socket of the reader. */
  readonly reader: string
  /** Where bubblewrap is; else where distributions put it. */
  readonly bwrapPath?: string | undefined
}

/** One call of a tool on behalf of a step, as the executor of runs has it. */
export interface ToolCall {
  readonly claim: { readonly run: string; readonly fence: string; readonly job: string; readonly lane: string; readonly definition: Pick<ToolRun, 'readsUpTo'> & { readonly alerts?: true }; readonly input: Readonly<Record<string, unknown>> }
  readonly step: { readonly id: string; readonly fallback?: Fallback }
  readonly attempt: number
  readonly label: Label
  readonly signal: AbortSignal
  readonly log: ToolLog
}

export interface Toolbox {
  /** Everything that this step may reach, and nothing else. */
  contextFor(call: ToolCall): ToolContext
  /** Whether commands can run here, for doctor. */
  sandboxStatus(): Promise<SandboxStatus>
  close(): Promise<void>
}

const source = fileURLToPath(new URL('../../', import.meta.url))

/** What a worker process keeps for its tools: the sandbox, the way to its gates, the parser of mail. */
export async function createToolbox(deps: ToolboxDeps): Promise<Toolbox> {
  const { database, clock } = deps
  const sandbox = await createSandbox({ bwrapPath: deps.bwrapPath, scratch: deps.folder })
  const status = await sandbox.status()
  if (!status.ok) deps.log.warn({ reason: status.reason }, 'no command is run on this machine')
  else deps.log.info({ memory: status.memory }, 'commands are run in a sandbox')
  const parse = createMailParser({ sandbox })
  const { local, cloud } = deps.gates
  const reader = connectGate(deps.reader)
  const gates: Gates = { local: connectGate(local), ...(cloud !== undefined && { cloud: connectGate(cloud) }) }

  function contextFor({ claim, step, attempt, label: start, signal, log }: ToolCall): ToolContext {
    const house = deps.house()
    const { folders, shell, outbox, models, sources } = house.settings
    const places: ProtectedPlaces = { house: real(house.folder), roots: [real(deps.home), real(source)] }
    const run: ToolRun = { id: claim.run, job: claim.job, lane: claim.lane, fence: claim.fence, readsUpTo: claim.definition.readsUpTo, label: start, toldAlerts: claim.definition.alerts === true && claim.input['alerts'] != null }
    let current = start
    let withoutModel = false
    const label = () => current
    const raise = (more: Label) => {
      current = join(current, more)
    }
    const fileLabel = (folder: string, path: string) => labelOfFile(house, folder, path)
    return {
      run, step: step.id, attempt, clock, signal, log, label, raise,
      mailbox: createMailbox({ database, parse, labelOf: (mail) => labelOfMail(house, mail), run, raise, signal, log }),
      events: createEvents({ database, run, raise }),
      files: createFiles({ database, folders, places, labelOf: fileLabel, run, label, raise, signal, log }),
      models: createModels({ database, gates, settings: models, run, label }),
      proposals: createProposals({ database, run, step: step.id, connectors: outbox.connectors.map((one) => one.name), tell: outbox.tell, label, raise }),
      ledger: createLedger({ database, run, clock, raise }),
      shell: createShell({ sandbox, database, allow: shell.allow, rules: shell.rules, folders, places, labelOf: fileLabel, run, raise }),
      sources: createSources({ database, reader, sources, clock, run, signal, label, raise }),
      fallback: step.fallback,
      markMadeWithoutModel() {
        withoutModel = true
      },
      wasMadeWithoutModel: () => withoutModel,
    }
  }

  return {
    contextFor,
    sandboxStatus: () => sandbox.status(),
    close: async () => {
      await Promise.all([gates.local.close(), gates.cloud?.close(), reader.close()])
    },
  }
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
