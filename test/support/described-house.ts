import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { TestContext } from 'node:test'
import { castellanSchema } from '../../src/house/settings/castellan-file.ts'
import { toSettings } from '../../src/house/settings/to-settings.ts'
import type { House } from '../../src/house/index.ts'
import { describeHouse } from '../../src/processes/describe-house.ts'
import type { HouseDescription, UnitFile } from '../../src/units/index.ts'

const folder = '/var/lib/castellan/house'

/** A house that has one of everything that a unit has to know of. */
export function describedHouse({ home = '/var/lib/castellan', secrets = [] as string[], file = {} } = {}): HouseDescription {
  const parsed = castellanSchema.parse({
    models: { upstreams: { near: { kind: 'ollama', url: 'http://127.0.0.1:11434', zone: 'machine' }, far: { kind: 'anthropic', url: 'https://api.anthropic.com', zone: 'cloud', key: { secret: 'far_key' } } } },
    folders: { vault: { path: 'vault', access: 'write' }, archive: { path: '/srv/archive', access: 'write' } },
    ...file,
  })
  const places = [
    ...Object.entries(parsed.folders).map(([name, { path }]) => ({ kind: 'folder' as const, name, path: path.startsWith('/') ? path : join(folder, path), written: true, at: [] })),
    ...Object.entries(parsed.mail.accounts).flatMap(([name, account]) => (account.kind === 'folder' ? [{ kind: 'mailbox' as const, name, path: account.path.startsWith('/') ? account.path : join(folder, account.path), written: true, at: [] }] : [])),
    ...Object.entries(parsed.outbox.connectors).flatMap(([name, connector]) => (connector.kind === 'file' ? [{ kind: 'connector' as const, name, path: join(folder, connector.path), written: true, at: [] }] : [])),
  ]
  const settings = toSettings(folder, parsed, places, { shell: [], connectors: new Map() }, { certificates: new Map(), authorities: new Map(), ofSources: new Map() })
  // a clone may lie in /tmp, where no house is installed from
  return { ...describeHouse({ home, house: { folder, settings } as unknown as House, exists: (path) => secrets.includes(path) }), source: '/opt/castellan' }
}

/** Writes the files of an installation side by side, as a folder that systemd's own programs can look at. */
export function writeFlat(t: Pick<TestContext, 'after'>, files: readonly UnitFile[]): string {
  const into = mkdtempSync(join(tmpdir(), 'castellan-units-'))
  t.after(() => rmSync(into, { recursive: true }))
  mkdirSync(into, { recursive: true })
  for (const { path, text } of files) writeFileSync(join(into, basename(path)), text)
  return into
}
