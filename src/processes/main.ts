import { enableCompileCache } from 'node:module'
import { readBoot, type Boot, type Host, type ProcessName, type Started } from './boot.ts'

// The entry of every supervised process: `node src/processes/main.ts NAME`, the boot message on descriptor 3.
enableCompileCache()
process.umask(0o077)

const modules: Record<ProcessName, () => Promise<{ start(boot: Boot, host: Host): Promise<Started> }>> = {
  server: () => import('./server.ts'),
  releaser: () => import('./releaser.ts'),
  'gate-local': () => import('./gate.ts'),
  'gate-cloud': () => import('./gate.ts'),
  'worker-open': () => import('./worker.ts'),
  'worker-private': () => import('./worker.ts'),
  reader: () => import('./reader.ts'),
}

const name = process.argv[2] as ProcessName
process.title = `castellan ${name}`
const loading = modules[name]()
const boot = readBoot()
const [{ createHost }, { armFaultPoints }, { awaitDatabase }] = await Promise.all([
  import('./host.ts'), import('../kernel/fault-point.ts'), import('./await-database.ts'),
])
await awaitDatabase(boot.database)
armFaultPoints(boot.faultPoints)
const host = createHost()
const started = await (await loading).start(boot, host)
host.onStop(async (deadlineMs) => {
  await started.stop(deadlineMs)
  process.exit(0)
})
host.ready()
