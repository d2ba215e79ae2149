import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemClock } from '../kernel/clock.ts'
import { connect } from '../kernel/database/connect.ts'
import { listenOnSocket } from '../kernel/listen.ts'
import { createLogger } from '../kernel/log.ts'
import { createReporter, type Reporter } from '../health/index.ts'
import { createSandbox, credentialFile, type Sandbox } from '../sandbox/index.ts'
import { bareApp } from '../server/bare-app.ts'
import { createFetches, createFetchLedger } from '../sources/index.ts'
import { sourceRoutes } from '../sources/routes.ts'
import type { Boot, Host, Started } from './boot.ts'
import { startLoop } from './loop.ts'

/** How often what nobody came for is closed. */
const expireMs = 60_000

/** Asks what is declared outside, for workers that have no network. It holds credentials that read, and none that sends. */
export async function start(boot: Boot, host: Host): Promise<Started> {
  const log = createLogger({ name: boot.process })
  const database = connect(boot.database, {
    application: boot.process, max: 4, onLost: (error) => log.warn({ err: error }, 'a connection to the database was lost'),
    onRefused: (code) => reporter.note('database.refused', boot.database.user, { code }),
  })
  const reporter: Reporter = createReporter({ database, clock: systemClock, log })
  const ledger = createFetchLedger(database, log)
  const stopping = new AbortController()
  let house = boot.house
  host.onHouse((changed) => {
    house = changed
  })
  let sandbox: Promise<Sandbox> | undefined
  const fetches = createFetches({
    ledger, credentialFile,
    secrets: boot.secrets,
    sources: () => house.settings.sources,
    refusal: () => (boot.isolation.mode === 'demonstration' && !house.settings.isolation.acceptDemonstration
      ? 'sources are not asked while all processes share one user: start Castellan as root, or accept it with isolation.accept_demonstration in castellan.yaml'
      : undefined),
    sandbox: () => (sandbox ??= createSandbox({ scratch: boot.folder })),
    folder: waysOut(dirname(boot.sockets.reader)),
    signal: stopping.signal,
  })
  const lost = await ledger.recover(true)
  if (lost > 0) log.warn({ fetches: lost }, 'closed fetches that were left open')
  const expiring = startLoop('closing what nobody came for', log, async () => {
    await ledger.recover(false)
    return expireMs
  })
  const app = bareApp(log)
  sourceRoutes(app, fetches)
  await listenOnSocket(app, boot.sockets.reader, 'group')
  log.info({ sources: house.settings.sources.length }, 'reading')

  return {
    async stop(deadlineMs) {
      const closed = app.close()
      const patience = setTimeout(() => stopping.abort(), deadlineMs / 2)
      await fetches.settled()
      clearTimeout(patience)
      await Promise.all([closed, expiring.stop()])
      await reporter.close()
      await database.close()
    },
  }
}

/** The sockets by which commands leave lie where not even who may enter this process's own socket gets: a worker has no way out. */
function waysOut(door: string): string {
  const folder = join(door, 'out')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o700 })
  chmodSync(folder, 0o700)
  return folder
}
