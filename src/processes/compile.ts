import { flushCompileCache } from 'node:module'

// Loads what the processes load, so that it is compiled and kept: see compile-cache.ts.
await Promise.all([
  import('./server.ts'), import('./releaser.ts'), import('./gate.ts'), import('./worker.ts'), import('./reader.ts'),
  import('./host.ts'), import('./await-database.ts'), import('../house/load-house.ts'), import('../house/init-house.ts'),
  import('@fastify/static'), // loaded by the server when it has pages to serve
])
flushCompileCache()
process.exit(0)
