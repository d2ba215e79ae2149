import type { SourceSettings } from '../house/index.ts'
import { Fault, toFault } from '../kernel/fault.ts'
import type { Lookup } from '../http/index.ts'
import type { FetchLedger } from './fetch-ledger.ts'
import { fetchCommand, type CommandFetchDeps } from './fetch-command.ts'
import { fetchHttp } from './fetch-http.ts'
import { checkFormat, fetchFault, type Fetched } from './fetched.ts'
import { checkParams, type Params } from './fill.ts'

export interface FetchesDeps {
  readonly ledger: FetchLedger
  /** As the house has them now. */
  sources(): readonly SourceSettings[]
  readonly secrets: Readonly<Record<string, string>>
  /** Why nothing may be asked here now, or nothing. */
  refusal(): string | undefined
  /** Made at the first command. */
  sandbox(): Promise<CommandFetchDeps['sandbox']>
  readonly credentialFile: string
  readonly folder: string
  readonly signal: AbortSignal
  readonly lookup?: Lookup | undefined
}

export interface FetchDone {
  readonly source: string
  readonly status: number
  readonly bytes: number
}

export interface Fetches {
  /** Fetches what was asked under this id, and stores it. Whoever comes while it is fetched waits for the same. @throws Fault `source.…` */
  fetch(id: string): Promise<FetchDone>
  /** Resolves when nothing is being fetched. */
  settled(): Promise<void>
}

const atOnce = 8

export function createFetches(deps: FetchesDeps): Fetches {
  const { ledger, signal } = deps
  const going = new Map<string, Promise<FetchDone>>()
  const waiting: (() => void)[] = []
  let running = 0

  async function perform(id: string): Promise<FetchDone> {
    const taken = await ledger.take(id)
    if (!taken) throw new Fault('conflict', 'source.taken', 'this was fetched already, or asked for too long ago; ask for the source again')
    try {
      const fetched = await fetchFrom(id, taken.source, taken.params)
      await ledger.store(id, fetched)
      return { source: taken.source, status: fetched.status, bytes: fetched.body.length }
    } catch (error) {
      const fault = signal.aborted ? fetchFault('unavailable', 'ended', 'the reader was stopped before the answer came; ask again') : toFault(error)
      // what cannot be written either stays open, until the next reader calls it lost
      await ledger.fail(id, reasonOf(fault), fault.details).catch(() => {})
      throw fault
    }
  }

  async function fetchFrom(id: string, name: string, params: Params): Promise<Fetched> {
    const source = deps.sources().find((one) => one.name === name)
    if (!source) throw fetchFault('missing', 'undeclared', `castellan.yaml declares no source ${name} any more`)
    const refusal = deps.refusal()
    if (refusal !== undefined) throw fetchFault('refused', 'demonstration', refusal)
    checkParams(source.params, params)
    const { secrets, lookup } = deps
    const fetched = source.kind === 'http'
      ? await fetchHttp(source, params, { secrets, signal, lookup })
      : await fetchCommand(source, params, { secrets, signal, lookup, sandbox: await deps.sandbox(), credentialFile: deps.credentialFile, folder: deps.folder, ledger: ledger.connectionsOf(id) })
    checkFormat(source, fetched)
    return fetched
  }

  async function inTurn(id: string): Promise<FetchDone> {
    if (running === atOnce) await new Promise<void>((resolve) => waiting.push(resolve)) // who ends hands its place on
    else running += 1
    try {
      return await perform(id)
    } finally {
      going.delete(id)
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    fetch(id) {
      const known = going.get(id)
      if (known) return known
      const begun = inTurn(id)
      going.set(id, begun)
      return begun
    },
    settled: async () => void (await Promise.allSettled(going.values())),
  }
}

/** As the ledger has it: `source.format` is `format`, `sandbox.unsafe` is `sandbox_unsafe`. */
function reasonOf({ code }: Fault): string {
  return code.replace(/^source\./, '').replace(/[^a-z]+/g, '_').slice(0, 30)
}
