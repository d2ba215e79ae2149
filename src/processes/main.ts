import { readBoot, type Boot, type Host, type ProcessName, type Started } from './boot.ts'
import { inheritedChannel, type Channel } from './channel.ts'

// The entry of every supervised process: `node src/processes/main.ts NAME`, the boot message on descriptor 3; or, in a unit of its own, NAME and the door at which `up` tells it.
// `main.ts compile` fills the compiled cache: from here, so that this file is in it as well.
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

if (process.argv[2] === 'compile') await (await import('./compile.ts')).compile()
const name = process.argv[2] as ProcessName
process.title = `castellan ${name}`
const loading = modules[name]()
const door = process.argv[3]
const { boot, channel } = door === undefined ? { boot: readBoot(), channel: inheritedChannel() } : await arriveByUnit(door)
const [{ createHost }, { armFaultPoints }, { awaitDatabase }] = await Promise.all([
  import('./host.ts'), import('../kernel/fault-point.ts'), import('./await-database.ts'),
])
// a database that went with `up` never answers, and nobody is there who would say so
let isWaiting = true
channel.onClose(() => isWaiting && process.exit(channel.orphanExit))
await awaitDatabase(boot.database)
isWaiting = false
armFaultPoints(boot.faultPoints)
const host = createHost(channel)
const started = await (await loading).start(boot, host)
host.onStop(async (deadlineMs, exit) => {
  await started.stop(deadlineMs)
  process.exit(exit)
})
host.ready()

/** The walls are the unit's; whoever has them not does not start. Its secrets are given by the unit, not by `up`. */
async function arriveByUnit(door: string): Promise<{ boot: Boot; channel: Channel }> {
  const [{ attachTo }, { checkWalls }, { credentialsOf }] = await Promise.all([import('./attach.ts'), import('./check-walls.ts'), import('./read-secrets.ts')])
  checkWalls(name)
  const { boot, channel } = await attachTo(door)
  return { boot: { ...boot, secrets: credentialsOf(name, boot.house, process.env.CREDENTIALS_DIRECTORY) }, channel }
}
