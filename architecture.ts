/**
 * Who may import whom, folder by folder under src/. A new folder enters in the commit that makes it.
 * Ground comes first: kernel ← labels, sandbox, health ← house ← tools, models, runs, imap, http, egress ← jobs, outbox, channels, sources ← server, cli ← processes.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  labels: ['kernel'],
  sandbox: ['kernel'],
  health: ['kernel'],
  house: ['kernel', 'labels', 'sandbox'],
  tools: ['kernel', 'labels', 'sandbox', 'house', 'health'],
  models: ['kernel', 'labels', 'house'],
  runs: ['kernel', 'labels', 'house', 'tools'],
  jobs: ['kernel', 'labels', 'house', 'tools', 'runs'],
  imap: ['kernel', 'house'],
  http: ['kernel'],
  egress: ['kernel', 'http'],
  outbox: ['kernel', 'labels', 'sandbox', 'house', 'imap', 'http'],
  signing: ['kernel', 'outbox'],
  channels: ['kernel', 'labels', 'house', 'imap'],
  webhooks: ['kernel', 'house'],
  units: ['kernel'],
  secrets: ['kernel', 'labels', 'house'],
  expose: ['kernel', 'house'],
  gate: ['kernel', 'labels', 'house', 'models'],
  sources: ['kernel', 'sandbox', 'house', 'http', 'egress', 'tools'],
  server: ['kernel', 'labels', 'house', 'tools', 'models', 'runs', 'jobs', 'outbox', 'secrets', 'health'],
  cli: ['kernel', 'labels', 'house', 'outbox', 'webhooks', 'secrets', 'units', 'expose'],
  processes: ['kernel', 'labels', 'sandbox', 'house', 'tools', 'models', 'runs', 'jobs', 'outbox', 'signing', 'imap', 'channels', 'webhooks', 'secrets', 'health', 'sources', 'gate', 'server', 'units'],
}

/** Who may besides know the shapes of whom: imports of types, which are gone when the program runs. */
export const mayImportTypes: Readonly<Record<string, readonly string[]>> = {
  cli: ['server'], // a client of its socket
}

/** A feature is entered by one of these; inside it, files import each other directly. */
export const doors: readonly string[] = ['index.ts', 'routes.ts']

/** Folders whose files are imported one by one: the ground has no door. */
export const withoutDoor: readonly string[] = ['kernel']

/** Folders that wire the others and so may reach behind a door. */
export const wiring: readonly string[] = ['processes']

/** The only files that may start what a wiring folder composes. */
export const starters: Readonly<Record<string, readonly string[]>> = {
  processes: ['cli/up.ts', 'cli/config.ts', 'cli/service.ts', 'cli/expose.ts', 'cli/secrets/declared-secrets.ts'],
}
