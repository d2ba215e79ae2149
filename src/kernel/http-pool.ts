import { createRequire } from 'node:module'
import type { Dispatcher, Pool } from 'undici'

/** Connections to one origin, over TCP or a Unix socket. */
export interface HttpPool {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /** Resolves when what is under way is done. */
  close(): Promise<void>
}

type Request = (this: Pool, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>

/**
 * Of undici only the pool and its `request`: the whole package costs each process 9 MB more. Its version is pinned, and
 * the contract suite of the upstreams runs through here.
 */
export function openPool(origin: string, options: Pool.Options): HttpPool {
  const require = createRequire(import.meta.url)
  const PoolClass = require('undici/lib/dispatcher/pool.js') as typeof Pool
  const request = require('undici/lib/api/api-request.js') as Request
  const pool = new PoolClass(origin, options)
  return {
    request: (given) => request.call(pool, given),
    close: () => pool.close(),
  }
}
