import { flushCompileCache } from 'node:module'

/** Loads what the processes load, so that it is compiled and kept (see compile-cache.ts), and ends. */
export async function compile(): Promise<never> {
  await Promise.all([
    import('./server.ts'), import('./releaser.ts'), import('./gate.ts'), import('./worker.ts'), import('./reader.ts'),
    import('./host.ts'), import('./await-database.ts'), import('../house/load-house.ts'), import('../house/init-house.ts'),
    // what some houses load later
    import('./attach.ts'), import('./check-walls.ts'), import('../gate/traces.ts'), import('../outbox/compose/markdown.ts'), import('../outbox/compose/icalendar.ts'),
    import('@fastify/static'),
  ])
  flushCompileCache()
  process.exit(0)
}
