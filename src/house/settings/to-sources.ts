import { completeLabel } from '../complete-label.ts'
import type { CastellanFile } from './castellan-file.ts'
import type { SourceSettings } from './source-settings.ts'

const kilobyte = 1024

export function toSources({ sources }: Pick<CastellanFile, 'sources'>, authorities: ReadonlyMap<string, string>): SourceSettings[] {
  return Object.entries(sources).map(([name, source]): SourceSettings => {
    const common = {
      name,
      label: completeLabel({ level: source.label, integrity: 'untrusted', lanes: source.lanes }),
      format: source.format,
      bytes: source.kilobytes * kilobyte,
      timeoutMs: source.timeout,
      refreshMs: source.refresh,
      maxAgeMs: source.max_age,
      limits: source.limits,
      params: Object.entries(source.params).map(([name, { values, form }]) => ({ name, ...(values && { values }), ...(form && { form }) })),
      paramsUpTo: source.params_up_to,
      private: source.private,
    }
    if (source.kind === 'command') {
      const network = source.network.map((destination) => {
        const [host, port] = destination.split(':') as [string, string]
        return { host, port: Number(port) }
      })
      return { ...common, kind: 'command', argv: source.argv, network, ...(source.credential && { credential: source.credential }) }
    }
    const ca = authorities.get(name)
    return { ...common, kind: 'http', url: source.url, query: source.query, ...(source.credential && { credential: source.credential }), ...(ca !== undefined && { ca }) }
  })
}
