import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { Fault } from '../kernel/fault.ts'

const never = 'no-store'
const forever = 'public, max-age=31536000, immutable'

/** The built page. Its name is always asked anew; what it loads has its digest in the name and never changes. */
export async function servePage(app: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    app.get('/', async () => {
      throw new Fault('unavailable', 'page.unbuilt', 'the signing page is not built yet: run `node scripts/build-web.js` in the folder of Castellan, then restart it')
    })
    return
  }
  await app.register(fastifyStatic, {
    root: folder, cacheControl: false, etag: true, lastModified: false, dotfiles: 'deny', index: ['index.html'], wildcard: true,
    setHeaders: (reply, path) => void reply.header('cache-control', path.startsWith(join(folder, 'assets')) ? forever : never),
  })
}
