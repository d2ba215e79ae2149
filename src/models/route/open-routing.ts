import type { RoutingSettings } from '../../house/index.ts'
import type { Database } from '../../kernel/database/connect.ts'
import type { GateName } from '../../labels/index.ts'
import { createBreakers, type Breakers } from './breaker.ts'
import { createLimits, type Past } from './limits.ts'
import { createResponseCache, type ResponseCache } from './response-cache.ts'
import { createWalk, type Walk } from './walk.ts'

/** How the calls of one gate get through. */
export interface Routing {
  readonly walk: Walk
  readonly cache: ResponseCache
  readonly resting: Breakers['resting']
  /** At the start: what was asked before counts against the limits. */
  recall(database: Pick<Database, 'pool'>, gate: GateName): Promise<void>
  /** The upstreams are others now. */
  forget(): void
}

export function openRouting(settings: () => RoutingSettings): Routing {
  const breakers = createBreakers(() => settings().breaker)
  const limits = createLimits(() => settings().limits)
  const cache = createResponseCache(() => settings().cache)
  return {
    walk: createWalk({ retry: () => settings().retry, breakers, limits }),
    cache,
    resting: breakers.resting,
    async recall({ pool }, gate) {
      if (Object.keys(settings().limits).length === 0) return
      const { rows } = await pool.query<Past>(pastText, [gate])
      limits.remember(rows)
    },
    forget() {
      breakers.forget()
      cache.forget()
    },
  }
}

/** By the minute, each as old as its youngest call: rather too much than too little is counted. What came from the cache was not asked. */
const pastText = `
  select upstream, greatest(0, extract(epoch from clock_timestamp() - max(opened_at)) * 1000)::float8 as "agoMs", count(*)::integer as requests,
    coalesce(sum(input_tokens + output_tokens), 0)::integer as tokens
  from model_call
  where gate = $1 and upstream is not null and state <> 'refused' and reason is distinct from 'from_cache' and opened_at > clock_timestamp() - interval '1 day'
  group by upstream, date_trunc('minute', opened_at)
  order by 2 desc`
