import { completeLabel } from '../complete-label.ts'
import type { CastellanFile } from './castellan-file.ts'
import type { Place } from './check-places.ts'
import type { Connector, DatabaseSettings, FolderSettings, MailAccount, Settings, Upstream } from './settings.ts'

/** castellan.yaml in the terms of the source: lists instead of maps, absolute paths, complete labels. */
export function toSettings(file: CastellanFile, places: readonly Place[], allow: readonly string[]): Settings {
  const pathOf = (kind: Place['kind'], name: string) => places.find((place) => place.kind === kind && place.name === name)!.path
  const { outbox, retention, ports } = file
  return {
    name: file.name,
    timezone: file.timezone,
    ports: { server: ports.server, releaser: ports.releaser, gateLocal: ports.gate_local, gateCloud: ports.gate_cloud },
    database: toDatabase(file),
    isolation: { acceptDemonstration: file.isolation.accept_demonstration },
    models: {
      upstreams: Object.entries(file.models.upstreams).map(([name, { kind, url, zone, key }]): Upstream => ({ name, kind, url, zone, ...(key && { key }) })),
      routes: file.models.routes,
    },
    folders: Object.entries(file.folders).map(([name, { access, label, integrity, lanes }]): FolderSettings => ({
      name, path: pathOf('folder', name), access, label: completeLabel({ level: label, integrity, lanes }),
    })),
    mail: {
      accounts: Object.entries(file.mail.accounts).map(([name, { kind, label, lanes }]): MailAccount => ({
        name, kind, path: pathOf('mailbox', name), label: completeLabel({ level: label, integrity: 'untrusted', lanes }),
      })),
    },
    outbox: {
      holdMs: outbox.hold,
      expiryMs: { mail: outbox.expiry.mail, highRisk: outbox.expiry.high_risk, default: outbox.expiry.default },
      connectors: Object.entries(outbox.connectors).map(([name, { kind, from }]): Connector => ({ name, kind, path: pathOf('connector', name), from })),
      risk: outbox.risk.map(({ when, add, reason }) => ({
        when: Object.fromEntries(Object.entries(when).filter(([, condition]) => condition !== undefined)),
        add,
        reason,
      })),
    },
    signing: { origin: outbox.sign_origin ?? null, rpId: outbox.rp_id ?? null },
    shell: { allow },
    retention: {
      runLogMs: retention.run_log, runsMs: retention.runs, mailMs: retention.mail, modelCallsMs: retention.model_calls, outboxMs: retention.outbox,
    },
  }
}

function toDatabase({ database }: CastellanFile): DatabaseSettings {
  if (database === 'embedded') return { kind: 'embedded' }
  const { owner, server, releaser, gate_local, gate_cloud, worker_open, worker_private } = database.urls
  return {
    kind: 'urls',
    zone: database.zone,
    urls: { owner, server, releaser, gateLocal: gate_local, gateCloud: gate_cloud, workerOpen: worker_open, workerPrivate: worker_private },
  }
}
