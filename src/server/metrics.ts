import { Gauge, Registry } from 'prom-client'
import type { Database } from '../kernel/database/connect.ts'
import { countOpenAlerts } from '../health/index.ts'

/** Prometheus metrics of the house: numbers of kinds, of no subject, run or job. */
export function createHouseMetrics(database: Database): { readonly contentType: string; text(): Promise<string> } {
  const registry = new Registry()
  new Gauge({
    name: 'castellan_alerts_open', help: 'Security alerts that nobody has acknowledged.', labelNames: ['level', 'kind'], registers: [registry],
    async collect() {
      const counts = await countOpenAlerts(database)
      this.reset()
      for (const { level, kind, open } of counts) this.set({ level, kind }, open)
    },
  })
  return { contentType: registry.contentType, text: () => registry.metrics() }
}
