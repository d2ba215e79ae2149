import { Fault } from '../kernel/fault.ts'
import { overridePorts, type Overrides } from './override-ports.ts'
import { readHouseFolder } from './read-folder.ts'
import { keysOf, schemaAt, unwrap, writtenDefault } from './schema-tree.ts'
import { castellanSchema } from './settings/castellan-file.ts'
import type { PortName } from './settings/ports.ts'
import { didYouMean } from './suggest.ts'
import { readYaml, type Path } from './yaml-source.ts'

export interface Explanation {
  readonly key: string
  /** As one would write it in castellan.yaml. */
  readonly value: unknown
  /** `castellan.yaml:12`, `default`, `environment: CASTELLAN_PORT_SERVER` or `command line`. */
  readonly source: string
  readonly default: unknown
  readonly description: string
}

/** The value of one key of castellan.yaml, where it comes from, and what it means. @throws Fault `house.key` for a key that does not exist */
export function explainKey(folder: string, key: string, overrides: Overrides = { env: process.env }): Explanation {
  const path = key.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))
  if (!schemaAt(castellanSchema, path)) throw unknownKey(key, path)
  const { texts } = readHouseFolder(folder)
  const source = readYaml('castellan.yaml', texts.get('castellan.yaml') ?? '').source
  // a key that another kind of connector has is explained as what it is there
  const schema = schemaAt(castellanSchema, path, source?.value) ?? schemaAt(castellanSchema, path)!
  const standard = inheritedDefault(source?.value, path) ?? valueAt(writtenDefault(castellanSchema.prefault({})), path)
  const description = unwrap(schema).description ?? ''
  const overridden = portOverride(path, overrides)
  if (overridden) return { key, ...overridden, default: standard, description }
  const place = source?.place(path)
  if (place) return { key, value: valueAt(source!.value, path), source: `castellan.yaml:${place.line}`, default: standard, description }
  return { key, value: standard, source: 'default', default: standard, description }
}

/** In an entry that the file declares, e.g. a lane of one's own, the defaults of the entry count and not those of the whole section. */
function inheritedDefault(written: unknown, path: Path): unknown {
  const known = path.findIndex((_, index) => valueAt(written, path.slice(0, index + 1)) === undefined)
  const depth = known < 0 ? path.length : known + 1
  const schema = depth === 1 ? undefined : schemaAt(castellanSchema, path.slice(0, depth), written)
  return schema && valueAt(writtenDefault(schema), path.slice(depth))
}

function portOverride(path: Path, overrides: Overrides): { value: number | undefined; source: string } | undefined {
  const [section, name] = path
  if (section !== 'ports' || path.length !== 2) return undefined
  const { ports, sources } = overridePorts({ server: 0, releaser: 0, gate_local: 0, gate_cloud: 0 }, overrides)
  const source = sources[name as PortName]
  return source === undefined ? undefined : { value: ports[name as PortName], source }
}

function unknownKey(key: string, path: Path): Fault {
  let depth = path.length - 1
  while (depth > 0 && !schemaAt(castellanSchema, path.slice(0, depth))) depth -= 1
  const known = keysOf(schemaAt(castellanSchema, path.slice(0, depth))!)
  const prefix = path.slice(0, depth).join('.')
  return new Fault('missing', 'house.key', `castellan.yaml has no key ${key}: ${didYouMean(String(path[depth]), known)}`, { known: known.map((one) => (prefix ? `${prefix}.${one}` : one)) })
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, part) => (typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? (at as Record<PropertyKey, unknown>)[part] : undefined), value)
}
