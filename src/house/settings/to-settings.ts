import { completeLabel } from '../complete-label.ts'
import type { CastellanFile } from './castellan-file.ts'
import { toExpose } from './check-expose.ts'
import type { Place } from './check-places.ts'
import type { Programs } from './check-programs.ts'
import type { DatabaseSettings, FolderSettings, ImapAccount, MailAccount, Settings, Upstream } from './settings.ts'
import { given, toConnector } from './to-connector.ts'
import { toRouting } from './to-routing.ts'
import { toSecrets } from './to-secrets.ts'
import { toSources } from './to-sources.ts'
import { toSpending } from './to-spending.ts'
import { toWebhookPort, toWebhooks } from './to-webhooks.ts'

/** What the files say that castellan.yaml names, as PEM: of mailboxes, of connectors and of sources, by their names. */
export interface NamedCertificates {
  readonly certificates: ReadonlyMap<string, string>
  readonly authorities: ReadonlyMap<string, string>
  readonly ofSources: ReadonlyMap<string, string>
}

/** castellan.yaml in the terms of the source: lists instead of maps, absolute paths, complete labels. */
export function toSettings(folder: string, file: CastellanFile, places: readonly Place[], programs: Programs, { certificates, authorities, ofSources }: NamedCertificates): Settings {
  const pathOf = (kind: Place['kind'], name: string) => places.find((place) => place.kind === kind && place.name === name)!.path
  const { outbox, retention, ports } = file
  const accounts = Object.entries(file.mail.accounts).map(([name, account]) => toAccount(name, account, pathOf, certificates))
  const remote = (name: string) => accounts.find((account): account is ImapAccount => account.kind === 'imap' && account.name === name)!
  const folders = Object.entries(file.folders).map(([name, { access, label, integrity, lanes }]): FolderSettings => ({
    name, path: pathOf('folder', name), access, label: completeLabel({ level: label, integrity, lanes }),
  }))
  return {
    name: file.name,
    timezone: file.timezone,
    ports: { server: ports.server, releaser: ports.releaser, gateLocal: ports.gate_local, gateCloud: ports.gate_cloud, webhooks: toWebhookPort(file) },
    database: toDatabase(file),
    isolation: { acceptDemonstration: file.isolation.accept_demonstration },
    models: {
      upstreams: Object.entries(file.models.upstreams).map(([name, { kind, url, zone, own, key }]): Upstream => ({ name, kind, url, zone, ...(own && { own }), ...(key && { key }) })),
      routes: file.models.routes,
    },
    routing: toRouting(file.models),
    batches: { concurrent: file.models.batch.concurrent, hours: file.models.batch.hours ?? null },
    spending: toSpending(file.models),
    folders,
    mail: { accounts },
    webhooks: toWebhooks(file),
    secrets: toSecrets(folder, file),
    outbox: {
      holdMs: outbox.hold,
      expiryMs: { mail: outbox.expiry.mail, highRisk: outbox.expiry.high_risk, default: outbox.expiry.default },
      connectors: Object.entries(outbox.connectors).map(([name, connector]) => toConnector(name, connector, { pathOf: (name) => pathOf('connector', name), authorities, folders, remote, rules: file.shell.rules, programsOf: (name) => programs.connectors.get(name) ?? [] })),
      ...(outbox.tell !== undefined && { tell: outbox.tell }),
      risk: outbox.risk.map(({ when, add, reason }) => ({
        when: given(when),
        add,
        reason,
      })),
    },
    signing: { origin: outbox.sign_origin ?? null, rpId: outbox.rp_id ?? null },
    exposed: toExpose(file),
    shell: { allow: programs.shell, rules: file.shell.rules },
    sources: toSources(file, ofSources),
    retention: {
      runLogMs: retention.run_log, runsMs: retention.runs, mailMs: retention.mail, modelCallsMs: retention.model_calls, webhooksMs: retention.webhooks, sourcesMs: retention.sources,
      batchesMs: retention.batches, alertsMs: retention.alerts, outboxMs: retention.outbox,
    },
    telemetry: { traces: toTraces(file) },
  }
}

function toTraces({ telemetry: { traces } }: CastellanFile): Settings['telemetry']['traces'] {
  if (!traces) return null
  const { url, zone, content, authorization } = traces
  return { url, zone, content, ...(authorization && { authorization }) }
}

function toAccount(
  name: string, account: CastellanFile['mail']['accounts'][string], pathOf: (kind: 'mailbox', name: string) => string, certificates: ReadonlyMap<string, string>,
): MailAccount {
  const label = completeLabel({ level: account.label, integrity: 'untrusted', lanes: account.lanes })
  if (account.kind === 'folder') return { name, kind: 'folder', path: pathOf('mailbox', name), label }
  const { host, security, user, password, folders } = account
  const ca = certificates.get(name)
  return { name, kind: 'imap', host, port: account.port ?? (security === 'tls' ? 993 : 143), security, user, password, folders, ...(ca !== undefined && { ca }), label }
}

function toDatabase({ database }: CastellanFile): DatabaseSettings {
  if (database === 'embedded') return { kind: 'embedded' }
  const { owner, server, releaser, gate_local, gate_cloud, worker_open, worker_private, listener, reader } = database.urls
  return {
    kind: 'urls',
    zone: database.zone,
    urls: { owner, server, releaser, gateLocal: gate_local, gateCloud: gate_cloud, workerOpen: worker_open, workerPrivate: worker_private, ...(listener !== undefined && { listener }), ...(reader !== undefined && { reader }) },
  }
}
