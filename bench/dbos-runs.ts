import { DBOS } from '@dbos-inc/dbos-sdk'
import { keepBusy } from './keep-busy.ts'
import type { OpenSide } from './side.ts'

/** One-step workflows of DBOS Transact. A unit is done when the workflow has returned. */
export const open: OpenSide = async ({ host, port, database, user, password }) => {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: `postgresql://${login}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`,
    systemDatabasePoolSize: 12, // as many connections as the other side has in its two pools
    logLevel: 'error',
  })
  const workflow = DBOS.registerWorkflow(async () => DBOS.runStep(async () => ({ value: 1 }), { name: 'only' }), { name: 'bench' })
  await DBOS.launch()
  return {
    measure: (concurrency, milliseconds) => keepBusy(concurrency, milliseconds, async () => void (await workflow())),
    close: () => DBOS.shutdown(),
  }
}
