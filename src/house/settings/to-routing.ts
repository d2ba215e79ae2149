import type { CastellanFile } from './castellan-file.ts'
import type { RoutingSettings } from './settings.ts'

const megabyte = 1024 * 1024

export function toRouting({ upstreams, retry, breaker, cache }: CastellanFile['models']): RoutingSettings {
  return {
    retry: { tries: retry.tries, longestWaitMs: retry.longest_wait },
    breaker: { failures: breaker.failures, restMs: breaker.rest },
    limits: Object.fromEntries(Object.entries(upstreams).flatMap(([name, { limits }]) => {
      if (!limits) return []
      const { requests, tokens, concurrent, wait, when_full } = limits
      return [[name, { requests, tokens, ...(concurrent !== undefined && { concurrent }), waitMs: wait, whenFull: when_full }]]
    })),
    cache: cache ? { keepMs: cache.keep, bytes: cache.megabytes * megabyte, ...(cache.tasks && { tasks: cache.tasks }) } : null,
  }
}
