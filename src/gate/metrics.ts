import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CallObserver, Routing } from '../models/index.ts'
import type { InFlight } from './in-flight.ts'

/** Prometheus metrics of one gate: how much and how long, of no run, job or lane. */
export interface Metrics extends CallObserver {
  readonly contentType: string
  text(): Promise<string>
}

/** Seconds: a local model may be loaded first. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180]

export function createMetrics(inFlight: Pick<InFlight, 'size'>, resting: Routing['resting'] = () => [], now: () => number = () => performance.now()): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const calls = new Counter({ name: 'castellan_model_calls_total', help: 'Model calls that have ended, by how.', labelNames: ['upstream', 'model', 'task', 'state', 'reason'], registers })
  const tokens = new Counter({ name: 'castellan_model_tokens_total', help: 'Tokens that models read and wrote.', labelNames: ['upstream', 'model', 'direction'], registers })
  const seconds = new Histogram({ name: 'castellan_model_call_seconds', help: 'How long model calls took, to their end.', labelNames: ['upstream', 'model'], buckets, registers })
  const first = new Histogram({ name: 'castellan_model_first_output_seconds', help: 'How long models took to their first output.', labelNames: ['upstream', 'model'], buckets, registers })
  new Gauge({ name: 'castellan_model_calls_in_flight', help: 'Model calls that are being answered.', registers, collect() { this.set(inFlight.size()) } })
  new Gauge({
    name: 'castellan_upstream_resting_seconds', help: 'For how long an upstream that kept failing, or asked for it, is still not asked.', labelNames: ['upstream', 'model', 'endpoint'], registers,
    collect() {
      this.reset()
      for (const { upstream, model, endpoint, forMs } of resting()) this.set({ upstream, model, endpoint }, forMs / 1_000)
    },
  })

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    begin({ candidate: { upstream, model }, task }) {
      const started = now()
      const elapsed = () => (now() - started) / 1_000
      let said = false
      return {
        chunk() {
          if (said) return
          said = true
          first.observe({ upstream, model }, elapsed())
        },
        end({ state, reason, inputTokens, outputTokens }) {
          // what comes before a success is in the ledger; here it would be a label without end
          calls.inc({ upstream, model, task, state, reason: state === 'succeeded' && reason !== 'from_cache' ? '' : (reason ?? '') })
          tokens.inc({ upstream, model, direction: 'input' }, inputTokens)
          tokens.inc({ upstream, model, direction: 'output' }, outputTokens)
          seconds.observe({ upstream, model }, elapsed())
        },
      }
    },
  }
}
