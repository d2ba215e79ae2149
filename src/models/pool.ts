import { createRequire } from 'node:module'
import type { Dispatcher, Pool } from 'undici'

/** Connections to one origin. */
export interface ConnectionPool {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /** Resolves when what is under way is done. */
  close(): Promise<void>
}

type Request = (this: Pool, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>

/**
 * Of undici only the pool and its `request`: the whole package costs each gate 9 MB more. Its version is pinned, and the contract suite of
 * the upstreams runs through here.
 */
export function openPool(origin: string, options: { readonly connections: number; readonly connectTimeout: number }): ConnectionPool {
  const require = createRequire(import.meta.url)
  const PoolClass = require('undici/lib/dispatcher/pool.js') as typeof Pool
  const request = require('undici/lib/api/api-request.js') as Request
  const pool = new PoolClass(origin, { connections: options.connections, connect: { timeout: options.connectTimeout } })
  return {
    request: (given) => request.call(pool, given),
    close: () => pool.close(),
  }
}
